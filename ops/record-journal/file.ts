import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { chainStart } from '../../src/store/audit-chain.ts'
import type { WholeRecord } from '../../src/store/memory-inspection.ts'
import { projectFolder } from '../sandbox/folders.ts'

const journalsFolder = path.join(projectFolder, 'test', 'journals')

/** A line of a recorded journal: first what was recorded, then every row of it. */
type Line =
  | { recordedBy: string; nowMs: number }
  | { partition: WholeRecord['partitions'][number] }
  | { turn: WholeRecord['turns'][number] }
  | { actor: WholeRecord['actors'][number] }

/** The recorded journals, oldest first. */
export function recordedJournals(): string[] {
  return readdirSync(journalsFolder)
    .filter((name) => name.endsWith('.jsonl'))
    .sort()
}

/** Writes it behind those that are there, and never over one. @returns the name */
export function writeJournal({ partitions, turns, actors, nowMs }: WholeRecord, version: string): string {
  const lines: Line[] = [
    { recordedBy: version, nowMs },
    ...partitions.map((partition) => ({ partition })),
    ...turns.map((turn) => ({ turn })),
    ...actors.map((actor) => ({ actor })),
  ]
  const number = String(recordedJournals().length + 1).padStart(4, '0')
  const name = `${number}-${version}.jsonl`
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('')
  writeFileSync(path.join(journalsFolder, name), text, { flag: 'wx' })
  return name
}

export function readJournal(name: string): WholeRecord {
  const record: WholeRecord = {
    partitions: [],
    turns: [],
    actors: [],
    letters: [],
    readModels: [],
    pauses: [],
    archive: { files: [], marks: [] },
    audit: { rows: [], head: chainStart },
    nowMs: 0,
  }
  const text = readFileSync(path.join(journalsFolder, name), 'utf8')
  for (const line of text
    .trimEnd()
    .split('\n')
    .map((line): Line => JSON.parse(line))) {
    if ('turn' in line) record.turns.push(line.turn)
    else if ('actor' in line) record.actors.push(line.actor)
    else if ('partition' in line) record.partitions.push(line.partition)
    else record.nowMs = line.nowMs
  }
  return record
}
