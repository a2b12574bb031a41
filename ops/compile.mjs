// Compiles the daemon, and the yardsticks that the bench holds beside it, into dist: what production runs.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const project = fileURLToPath(new URL('..', import.meta.url))
const dist = path.join(project, 'dist')
const folders = ['actors', 'schemas', 'src']
/** What the result depends on; the lock file because it names the compiler. */
const sources = [
  ...folders,
  'ops/bench/yardsticks',
  'ops/compile.mjs',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
]

/**
 * Brings dist to what the sources say; does nothing where it is so already. Does not look at types, which is
 * `npm run check`'s matter and takes ten times as long.
 *
 * @throws when a file is no TypeScript, or the folder cannot be written
 */
export async function compile() {
  const wanted = digestOf(sources)
  if (isMadeOf(wanted)) return
  // Beside it, and then in its place at once: a daemon may be starting from it.
  const made = `${dist}-${process.pid}`
  const former = `${made}-former`
  mkdirSync(made, { recursive: true })
  try {
    await runCompiler(made)
    // What the code reads at run time lies beside it, such as the migrations.
    for (const folder of folders) {
      cpSync(path.join(project, folder), path.join(made, folder), {
        recursive: true,
        filter: (file) => statSync(file).isDirectory() || !file.endsWith('.ts'),
      })
    }
    writeFileSync(path.join(made, 'made-of'), wanted)
    // Another process may have been faster.
    if (isMadeOf(wanted)) return
    if (existsSync(dist)) renameSync(dist, former)
    renameSync(made, dist)
  } finally {
    for (const folder of [made, former]) rmSync(folder, { recursive: true, force: true })
  }
}

async function runCompiler(outDir) {
  const tsc = path.join(project, 'node_modules', '.bin', 'tsc')
  const args = ['--project', 'tsconfig.build.json', '--outDir', outDir]
  const child = spawn(tsc, args, { cwd: project, stdio: 'inherit', shell: process.platform === 'win32' })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error('the daemon could not be compiled: see above')
}

function isMadeOf(wanted) {
  try {
    return readFileSync(path.join(dist, 'made-of'), 'utf8') === wanted
  } catch {
    return false
  }
}

/** Of contents and not of times, as a clone and a pull both give every file the time they ran at. */
function digestOf(names) {
  const hash = createHash('sha256')
  const add = (name) => {
    const file = path.join(project, name)
    if (statSync(file).isDirectory()) for (const child of readdirSync(file).sort()) add(path.posix.join(name, child))
    else hash.update(`${name}\0`).update(readFileSync(file)).update('\0')
  }
  for (const name of names) add(name)
  return hash.digest('hex')
}
