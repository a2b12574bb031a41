import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { projectFolder } from '../sandbox/folders.ts'
import { generatedFiles } from './files.ts'

/** Writes dashboards, alert rules and the tables of metrics anew. */
export function main(): number {
  for (const [file, text] of generatedFiles()) {
    mkdirSync(path.dirname(path.join(projectFolder, file)), { recursive: true })
    writeFileSync(path.join(projectFolder, file), text)
    process.stdout.write(`${file}\n`)
  }
  return 0
}
