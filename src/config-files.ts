import { readFileSync } from 'node:fs'

type Environment = Record<string, string | undefined>

/**
 * Puts what stands in files in the places of settings: `POSTGRES_URL_FILE` names a file whose text, without blanks around it,
 * is `POSTGRES_URL`. An empty variable is one that is not set.
 *
 * @param names the settings that may come by file
 * @returns the environment, and what is wrong with the files
 */
export function withFiles(env: Environment, names: readonly string[]): { given: Environment; faults: string[] } {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))
  const faults: string[] = []
  for (const name of names) {
    const path = given[`${name}_FILE`]
    if (path === undefined) continue
    if (given[name] !== undefined) {
      faults.push(`  ${name} and ${name}_FILE are both set: set one of them`)
      continue
    }
    try {
      given[name] = readFileSync(path, 'utf8').trim()
      if (given[name] === '') faults.push(`  ${name}_FILE ${path} is empty`)
    } catch (error) {
      faults.push(`  ${name}_FILE ${path} cannot be read: ${(error as Error).message}`)
    }
  }
  return { given, faults }
}
