import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { projectFolder } from '../../sandbox/folders.ts'
import { picturesOf } from '../draw/pictures.ts'
import type { Figures } from '../figures.ts'
import { renewBlocks } from './blocks.ts'
import { performanceBlocks } from './performance.ts'
import { scaleBlocks } from './scale.ts'
import { tracingBlocks } from './tracing.ts'

/** Makes everything in docs/ that comes from a run of the bench. */
export function renewDocs(figures: Figures): void {
  const inDocs = (...names: string[]): string => path.join(projectFolder, 'docs', ...names)
  mkdirSync(inDocs('performance'), { recursive: true })
  for (const [name, picture] of picturesOf(figures)) writeFileSync(inDocs('performance', name), picture)
  for (const [name, blocks] of [
    ['performance.md', performanceBlocks(figures)],
    ['scale.md', scaleBlocks(figures)],
    ['tracing.md', tracingBlocks(figures)],
  ] as const) {
    const file = inDocs(name)
    writeFileSync(file, renewBlocks(readFileSync(file, 'utf8'), blocks))
  }
}
