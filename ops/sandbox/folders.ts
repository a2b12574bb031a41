import { accessSync, constants, mkdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { SandboxError } from './errors.ts'

export const projectFolder = fileURLToPath(new URL('../..', import.meta.url))

/** Tools that were fetched. They belong to the checkout and not to the data, so forgetting the data keeps them. */
export const toolsFolder = path.join(projectFolder, '.turnstile', 'tools')

/** Makes the folder where it is missing, and fails with what to do when it cannot be written to. */
export function ensureFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true })
    accessSync(folder, constants.W_OK | constants.X_OK)
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code
    const message = `the folder ${folder} cannot be used (${reason}): make it writable, or set TURNSTILE_DATA_DIR`
    throw new SandboxError('broken-data', message, { cause })
  }
}

/** What a server that does not start on its data has to say about it. */
export function brokenData(folder: string, cause: SandboxError): SandboxError {
  const advice = `its data is in ${folder}; when that is broken, \`npm start -- --fresh\` forgets it`
  return new SandboxError('broken-data', `${cause.message}\n${advice}`, { cause })
}
