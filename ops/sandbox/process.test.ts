import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { describeCommand } from './pids.ts'
import { launch } from './process.ts'

const node = (script: string) => ({ name: 'child', command: process.execPath, args: ['-e', script] })
const idle = 'setInterval(() => {}, 1000)'

test('stops with its signal, and keeps the output', async () => {
  const child = await launch(node(`process.on('SIGTERM', () => process.exit(7)); console.log('up'); ${idle}`))
  while (child.lines.length === 0) await sleep(5)
  assert.deepEqual(await child.stop(), { code: 7, signal: null })
  assert.deepEqual(child.lines, ['up'])
})

test('kills what does not stop within its grace', async () => {
  const deaf = node(`process.on('SIGTERM', () => {}); console.log('up'); ${idle}`)
  const child = await launch({ ...deaf, stopGraceMs: 50 })
  while (child.lines.length === 0) await sleep(5)
  assert.deepEqual(await child.stop(), { code: null, signal: 'SIGKILL' })
})

test('a program that is not there is an error that names it', async () => {
  await assert.rejects(launch({ name: 'the tool', command: 'no-such-program', args: [] }), {
    code: 'missing-tool',
    message: /^the tool could not be started: .*no-such-program/,
  })
})

test('whoever is killed outright leaves no orphans', async () => {
  const script = `
    import { launch } from ${JSON.stringify(new URL('process.ts', import.meta.url).href)}
    const child = await launch({ name: 'orphan', command: process.execPath, args: ['-e', ${JSON.stringify(idle)}] })
    console.log(child.pid)`
  const args = ['--import', 'tsx', '--input-type=module', '--eval', script]
  const supervisor = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const [output] = await once(supervisor.stdout, 'data')
  const orphan = Number(output)
  // The command line and not the number: a dead process keeps its number until someone asks for its exit code.
  const isRunning = () => describeCommand(orphan).includes('setInterval')
  assert.ok(isRunning())

  supervisor.kill('SIGKILL')
  while (isRunning()) await sleep(5)
})
