import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../test/support/wait.ts'
import { projectFolder } from '../sandbox/folders.ts'
import { freePort } from '../sandbox/ports.ts'
import { launch } from '../sandbox/process.ts'

test('the simulated services run by themselves, show what they received, and end when they are told to', async () => {
  const port = String(await freePort())
  const services = await launch({
    name: 'the services',
    command: process.execPath,
    args: ['ops/services.mjs', '--host', '0.0.0.0', '--port', port, '--daemon', 'http://127.0.0.1:9'],
    cwd: projectFolder,
  })
  await until('they listen', () => services.lines.some((line) => line.includes(`0.0.0.0:${port}`)), 60_000)
  const report = (await (await fetch(`http://127.0.0.1:${port}/`)).json()) as object
  assert.ok('effects_by_key' in report)
  assert.equal((await services.stop()).code, 0)
})
