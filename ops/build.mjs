// npm run build: installs what is missing and compiles the daemon into dist, which needs neither TypeScript nor tsx to run.
import { spawnSync } from 'node:child_process'
import { cpSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { install } from './install.mjs'

const project = fileURLToPath(new URL('..', import.meta.url))
const dist = path.join(project, 'dist')

await install()
rmSync(dist, { recursive: true, force: true })
const tsc = path.join(project, 'node_modules', '.bin', 'tsc')
const options = { cwd: project, stdio: 'inherit', shell: process.platform === 'win32' }
const { status } = spawnSync(tsc, ['--project', 'tsconfig.build.json'], options)
if (status !== 0) process.exit(1)
// What the code reads at run time lies beside it, such as the migrations.
for (const folder of ['actors', 'schemas', 'src']) {
  cpSync(path.join(project, folder), path.join(dist, folder), {
    recursive: true,
    filter: (file) => statSync(file).isDirectory() || !file.endsWith('.ts'),
  })
}
