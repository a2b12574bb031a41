import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { parse } from 'yaml'
import { projectFolder } from '../ops/sandbox/folders.ts'
import { settingNames } from '../src/config.ts'
import { readDockerfile } from './support/image.ts'

type Service = {
  build?: { target: string }
  image?: string
  environment?: Record<string, string | number>
  depends_on?: string[] | Record<string, unknown>
  volumes?: string[]
  ports?: string[]
  healthcheck?: object
}

const file = path.join(projectFolder, 'ops', 'compose.yaml')
const noCompose = spawnSync('docker', ['compose', 'version']).status === 0 ? undefined : 'docker has no compose here'

describe('the compose file', () => {
  const { services, volumes }: { services: Record<string, Service>; volumes: object } = parse(
    readFileSync(file, 'utf8'),
    { merge: true },
  )
  const { turnstile } = services

  it('is taken by docker compose', { skip: noCompose }, () => {
    execFileSync('docker', ['compose', '--file', file, 'config', '--quiet'])
  })

  it('builds stages that there are, and pins what it pulls', () => {
    for (const [name, { build, image }] of Object.entries(services)) {
      if (build) assert.ok(readDockerfile().has(build.target), `${name}: ${build.target}`)
      else assert.match(image ?? '', /:v?\d+(\.\d+)*(-\w+)?$/, name)
    }
  })

  it('sets nothing but settings, to addresses of services that it starts and that are waited for', () => {
    for (const name of Object.keys(turnstile?.environment ?? {})) assert.ok(settingNames.includes(name), name)
    for (const [name, value] of Object.entries(turnstile?.environment ?? {})) {
      if (!URL.canParse(String(value))) continue
      const { hostname } = new URL(String(value))
      assert.ok(Object.hasOwn(services, hostname), `${name}: ${hostname}`)
      if (name.endsWith('_URL')) assert.ok(Object.hasOwn(turnstile?.depends_on ?? {}, hostname), hostname)
    }
  })

  it('waits for the health of what tells of it', () => {
    for (const { depends_on = {} } of Object.values(services)) {
      for (const [name, waiting] of Object.entries(depends_on)) {
        if ((waiting as { condition?: string }).condition !== 'service_healthy') continue
        assert.ok(services[name]?.healthcheck, name)
      }
    }
  })

  it('lets nobody in from beyond this machine, and names every volume', () => {
    for (const [name, { ports = [], volumes: mounted = [] }] of Object.entries(services)) {
      for (const port of ports) assert.match(port, /^127\.0\.0\.1:/, name)
      for (const volume of mounted) {
        const [from = ''] = volume.split(':')
        assert.ok(from.startsWith('./') || Object.hasOwn(volumes, from), `${name}: ${volume}`)
      }
    }
  })
})
