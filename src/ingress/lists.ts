import { Readable } from 'node:stream'
import type { ListQuery } from '../../schemas/read-models.ts'
import type { Cursor, Page, ReadRow } from '../engine/read-model-ports.ts'
import type { Call } from './route.ts'

/** So many rows are in memory at a time, however long the list is. */
const streamedRows = 1_000

/**
 * The whole list as a stream, or the page that the query asks for, with a `Link` to the next one.
 *
 * @param path where the list is, with what else its query must say
 * @param read the rows behind a cursor, in a fixed order
 */
export async function answerList(
  { query: { limit, cursor }, headers }: Pick<Call<unknown, unknown, ListQuery>, 'query' | 'headers'>,
  path: string,
  read: (page: Page) => Promise<ReadRow[]>,
): Promise<Readable | object[]> {
  const readPart = async (after: Cursor | undefined, most: number): Promise<Part<Cursor>> => {
    // One more, to see whether something follows.
    const rows = await read({ after, limit: most + 1 })
    const shown = rows.slice(0, most)
    return { items: shown.map(({ fields }) => fields), next: rows.length > most ? shown.at(-1) : undefined }
  }
  if (limit === undefined && cursor === undefined)
    return streamArray((after: Cursor | undefined) => readPart(after, streamedRows))
  const most = limit ?? streamedRows
  const { items, next } = await readPart(cursor, most)
  if (next) {
    const separator = path.includes('?') ? '&' : '?'
    headers.Link = `<${path}${separator}limit=${most}&cursor=${next.partition}.${next.id}>; rel="next"`
  }
  return items
}

/** Some of a list, and where to go on, if it does. */
export type Part<Place> = { items: object[]; next: Place | undefined }

/**
 * A JSON array, read part by part as fast as the client takes it. The first part comes before the stream does, so that a
 * database that is away is a problem like any other; one that goes away later breaks the stream.
 */
export async function streamArray<Place>(read: (after: Place | undefined) => Promise<Part<Place>>): Promise<Readable> {
  const first = await read(undefined)
  // Each chunk is a part: by default sixteen of them would be read ahead.
  return Readable.from(chunks(first, read), { highWaterMark: 1 })
}

async function* chunks<Place>(
  first: Part<Place>,
  read: (after: Place) => Promise<Part<Place>>,
): AsyncGenerator<string> {
  yield `[${joined(first)}`
  let { next } = first
  let isEmpty = first.items.length === 0
  while (next !== undefined) {
    const part: Part<Place> = await read(next)
    if (part.items.length > 0) yield (isEmpty ? '' : ',') + joined(part)
    isEmpty &&= part.items.length === 0
    next = part.next
  }
  yield ']'
}

const joined = ({ items }: Part<unknown>): string => items.map((item) => JSON.stringify(item)).join(',')
