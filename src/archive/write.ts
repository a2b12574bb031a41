import { createHash } from 'node:crypto'
import { mkdir, open, rename } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { ArchiveBlock, ArchiveFile } from '../engine/archive-ports.ts'
import type { TurnRecord } from '../engine/ports.ts'
import { folderOf } from './folders.ts'

/** Few enough that an actor is found without unpacking much, and enough to be packed well. */
const turnsABlock = 200

const compress = promisify(gzip)

export type Contents = {
  partition: number
  /** Which of the partition's files it is: 1, 2, 3 … */
  number: number
  /** Actor by actor, each in the order of its versions. */
  turns: TurnRecord[]
  settledBefore: string
}

/**
 * Writes turns to a new file below `folder`: JSON lines, packed by gzip a block at a time, so that `zcat` reads all of it and a
 * reader who knows the blocks any part. It is on the disk, under its name, when this resolves.
 *
 * Its name holds a part of its checksum: no file ever takes the place of another one.
 */
export async function writeArchiveFile(folder: string, contents: Contents): Promise<ArchiveFile> {
  const { partition, number, turns, settledBefore } = contents
  const packed: Buffer[] = []
  const blocks: ArchiveBlock[] = []
  let offset = 0
  for (let from = 0; from < turns.length; from += turnsABlock) {
    const part = turns.slice(from, from + turnsABlock)
    const bytes = await compress(part.map((turn) => `${JSON.stringify(turn)}\n`).join(''))
    packed.push(bytes)
    blocks.push({ offset, bytes: bytes.length, ...endsOf(part) })
    offset += bytes.length
  }
  const data = Buffer.concat(packed)
  const sha256 = createHash('sha256').update(data).digest('hex')
  const name = `${String(number).padStart(6, '0')}-${sha256.slice(0, 12)}.jsonl.gz`
  await writeDurably(path.join(folderOf(folder, partition), name), data)
  const lastPosition = turns.reduce((last, { position }) => Math.max(last, position), 0)
  const ends = endsOf(turns)
  return {
    ...{ partition, name, folder, turns: turns.length, ...ends, lastPosition, sha256, blocks, settledBefore },
    isDropped: false,
  }
}

function endsOf(turns: TurnRecord[]): { firstActor: string; lastActor: string } {
  return { firstActor: turns[0]?.actorId ?? '', lastActor: turns.at(-1)?.actorId ?? '' }
}

/** Whole or not at all, also when the power fails: the data first, then the name, then the folders that have the names. */
export async function writeDurably(file: string, data: Buffer | string): Promise<void> {
  const folder = path.dirname(file)
  const isNew = (await mkdir(folder, { recursive: true })) !== undefined
  const unfinished = `${file}.part`
  const handle = await open(unfinished, 'w')
  try {
    await handle.writeFile(data)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(unfinished, file)
  await syncFolder(folder)
  if (isNew) await syncFolder(path.dirname(folder))
}

/** Names that have come into the folder, or gone, are so for good then, also when the power fails. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
