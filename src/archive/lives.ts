import type { Archive, ArchiveFile } from '../engine/archive-ports.ts'
import type { Address, TurnRecord } from '../engine/ports.ts'

/** About how many turns are handed over at a time. */
const pageTurns = 1_000

/** Turns in the order of actors and versions, out of one place. */
type Source = {
  pages: AsyncIterator<TurnRecord[]>
  page: TurnRecord[]
  index: number
  /** Nothing for the journal itself. */
  file?: ArchiveFile
}

/**
 * The turns of a partition, or of one actor in it, archived or not: actor by actor, each in the order of its versions. A turn
 * that is about to leave the journal, and is in a file already, comes once. A file is opened when its first actor comes.
 *
 * Rejects with `archive-unreadable`, or like `hot`.
 *
 * @param hot what the journal has, in the same order
 * @param files in which there may be more
 */
export async function* livesOf(
  hot: AsyncIterable<TurnRecord[]>,
  archive: Archive,
  files: ArchiveFile[],
  of?: Address,
): AsyncGenerator<TurnRecord[]> {
  const closed = files
    .filter(({ firstActor, lastActor }) => !of || (firstActor <= of.id && of.id <= lastActor))
    .sort((a, b) => (a.firstActor < b.firstActor ? -1 : 1))
  if (closed.length === 0) return yield* hot
  const journal = await opened(hot)
  let sources = journal ? [journal] : []
  try {
    let page: TurnRecord[] = []
    let last: { turn: TurnRecord; file: ArchiveFile | undefined } | undefined
    while (sources.length > 0 || closed.length > 0) {
      // Nothing is waited for that need not be: that would be most of what a turn costs here.
      if (closed.length > 0) sources = [...sources, ...(await openDue(sources, closed, archive, of))]
      const source = leastOf(sources)
      if (!source) continue
      const turn = headOf(source)
      const isLeaving = last?.file?.isDropped === false && isSame(last.turn, turn) && !source.file
      if (!isLeaving) page.push(turn)
      last = { turn, file: source.file }
      source.index += 1
      const isOver = source.index === source.page.length && !(await fill(source))
      if (isOver) sources = sources.filter((other) => other !== source)
      if (page.length < pageTurns) continue
      yield page
      page = []
    }
    if (page.length > 0) yield page
  } finally {
    for (const { pages } of sources) await pages.return?.()
  }
}

/** Those of the files whose first actor is not behind the one that comes next. */
async function openDue(
  sources: Source[],
  closed: ArchiveFile[],
  archive: Archive,
  of: Address | undefined,
): Promise<Source[]> {
  const due: Source[] = []
  let next = sources.length > 0 ? headOf(leastOf(sources) as Source).actorId : undefined
  for (let file = closed[0]; file && (next === undefined || file.firstActor <= next); file = closed[0]) {
    closed.shift()
    const source = await opened(archive.turns(file, of), file)
    if (!source) continue
    due.push(source)
    next ??= headOf(source).actorId
  }
  return due
}

async function opened(turns: AsyncIterable<TurnRecord[]>, file?: ArchiveFile): Promise<Source | undefined> {
  const source: Source = { pages: turns[Symbol.asyncIterator](), page: [], index: 0, ...(file && { file }) }
  return (await fill(source)) ? source : undefined
}

/** @returns whether there is another page */
async function fill(source: Source): Promise<boolean> {
  do {
    const { done, value } = await source.pages.next()
    if (done) return false
    source.page = value
    source.index = 0
  } while (source.page.length === 0)
  return true
}

const headOf = ({ page, index }: Source): TurnRecord => page[index] as TurnRecord

/** Of the same turn the archived one goes first: the journal's own is the one that is left out. */
function leastOf(sources: Source[]): Source | undefined {
  return sources.reduce<Source | undefined>((least, source) => {
    if (!least) return source
    const order = compareTurns(headOf(source), headOf(least))
    return order < 0 || (order === 0 && source.file) ? source : least
  }, undefined)
}

/** As Postgres sorts them: by actor, kind, version and position. */
export function compareTurns(a: TurnRecord, b: TurnRecord): number {
  if (a.actorId !== b.actorId) return a.actorId < b.actorId ? -1 : 1
  if (a.kind !== b.kind) return a.kind < b.kind ? -1 : 1
  return a.version - b.version || a.position - b.position
}

const isSame = (a: TurnRecord, b: TurnRecord): boolean => compareTurns(a, b) === 0
