import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import type { Archive, ArchiveBlock, ArchiveFile } from '../engine/archive-ports.ts'
import type { Address, TurnRecord } from '../engine/ports.ts'
import { TurnstileError } from '../errors.ts'
import { folderOf } from './folders.ts'

const unpack = promisify(gunzip)

/**
 * Reads archive files.
 *
 * @param folder where the archive lies, when that is no longer where it was written
 */
export function openArchive(folder?: string): Archive {
  const pathOf = (file: ArchiveFile): string => path.join(folderOf(folder ?? file.folder, file.partition), file.name)
  return {
    async faultOf(file) {
      try {
        const hash = createHash('sha256')
        await pipeline(createReadStream(pathOf(file)), hash)
        return hash.digest('hex') === file.sha256 ? undefined : `${pathOf(file)} is not what was written`
      } catch (error) {
        return `${pathOf(file)} cannot be read: ${(error as Error).message}`
      }
    },
    turns: (file, of) => turnsIn(pathOf(file), file, of),
  }
}

/** @param fault what is wrong, behind the name of the file */
export function unreadable(fault: string, cause?: unknown): TurnstileError {
  const advice = 'Bring it back from a copy, or say with --archive where the archive lies now.'
  return new TurnstileError('archive-unreadable', `The archive file ${fault}. ${advice}`, { cause })
}

async function* turnsIn(name: string, { blocks }: ArchiveFile, of: Address | undefined): AsyncGenerator<TurnRecord[]> {
  const wanted = blocks.filter(({ firstActor, lastActor }) => !of || (firstActor <= of.id && of.id <= lastActor))
  if (wanted.length === 0) return
  let file: FileHandle | undefined
  try {
    file = await open(name, 'r')
    for (const block of wanted) {
      const turns = await readBlock(file, block)
      yield of ? turns.filter(({ kind, actorId }) => kind === of.kind && actorId === of.id) : turns
    }
  } catch (error) {
    throw unreadable(`${name} cannot be read: ${(error as Error).message}`, error)
  } finally {
    await file?.close()
  }
}

async function readBlock(file: FileHandle, { offset, bytes }: ArchiveBlock): Promise<TurnRecord[]> {
  const packed = Buffer.alloc(bytes)
  const { bytesRead } = await file.read(packed, 0, bytes, offset)
  const text = (await unpack(packed.subarray(0, bytesRead))).toString('utf8')
  return text
    .trimEnd()
    .split('\n')
    .map((line): TurnRecord => JSON.parse(line))
}
