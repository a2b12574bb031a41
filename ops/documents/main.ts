import { writeFileSync } from 'node:fs'
import { documents } from './documents.ts'

export async function main(): Promise<number> {
  for (const [file, text] of Object.entries(documents())) writeFileSync(file, text)
  return 0
}
