// npm run check: types, Biome, and the tidy test. Runs all three, also when one fails.
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { install } from './install.mjs'

const project = fileURLToPath(new URL('..', import.meta.url))
const program = (name) => path.join(project, 'node_modules', '.bin', name)

const checks = [
  ['types', program('tsc'), ['--noEmit']],
  ['Biome', program('biome'), ['check', '--error-on-warnings']],
  ['tidy', process.execPath, ['--import', 'tsx', '--test', '--test-reporter=dot', 'test/tidy.test.ts']],
]

await install()
const results = checks.map(([name, command, args]) => {
  const { status } = spawnSync(command, args, { cwd: project, stdio: 'inherit', shell: process.platform === 'win32' })
  return { name, isGood: status === 0 }
})
for (const { name, isGood } of results) console.log(`${isGood ? '✔' : '✘'} ${name}`)
process.exit(results.every(({ isGood }) => isGood) ? 0 : 1)
