import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const project = fileURLToPath(new URL('../..', import.meta.url))

/** One source file: its path from the project's root with `/`, and its text without comments. */
export type Source = { path: string; code: string }

export type Import = { from: string; isTypeOnly: boolean }

/** Tests, and what only they use: fixtures, and the suites that several implementations of a port share. */
export const isForTests = (file: string): boolean => /\.(test|fixtures|features)\.ts$/.test(file)

/** The shipped code: what lies in actors, schemas and src, without its tests. */
export function shippedSources(): Source[] {
  return ['actors', 'schemas', 'src']
    .flatMap((room) =>
      readdirSync(path.join(project, room), { recursive: true, encoding: 'utf8' }).map((file) => `${room}/${file}`),
    )
    .filter((file) => file.endsWith('.ts') && !isForTests(file))
    .map((file) => source(file.replaceAll('\\', '/'), readFileSync(path.join(project, file), 'utf8')))
}

export function source(file: string, text: string): Source {
  // A `//` after a colon is an address and no comment.
  return { path: file, code: text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(?<!:)\/\/.*$/gm, '') }
}

/** What a file imports: packages by name, files by their path from the project's root. */
export function importsOf({ path: file, code }: Source): Import[] {
  const statements = code.matchAll(/^\s*(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm)
  const calls = code.matchAll(/\bimport\(\s*()'([^']+)'/g)
  return [...statements, ...calls].map(([, type, target = '']) => ({
    from: target.startsWith('.') ? path.posix.join(path.posix.dirname(file), target) : target,
    isTypeOnly: Boolean(type),
  }))
}
