import type { Desk } from '../commands/desk.ts'
import { misused, parseLimit } from '../commands/options.ts'
import { oneLine } from '../commands/text.ts'
import type { LetterFilter, LetterSummary } from '../store/dead-letter-records.ts'
import { type FilterValues, parseFilter } from './options.ts'

/** How many letters are in hand at a time. */
const chunkLetters = 100
/** More in one go would be a long wait with nothing to undo it. */
export const maxLetters = 10_000

type BulkValues = FilterValues & { all: boolean; 'dry-run': boolean; json: boolean; limit?: string | undefined }

/** What became of one letter, as it is printed. */
export type Result = { letter: LetterSummary; result: string } | { letter: LetterSummary; fault: string }

/**
 * Does something to all letters that are meant, oldest first, and prints a result for each.
 *
 * @param ids those named one by one; each that is not found is a failure
 * @param act does it to some of them; it does not throw for what is wrong with one
 * @returns the exit code: 1 when one failed
 */
export async function forEachLetter(
  desk: Desk,
  ids: string[],
  values: BulkValues,
  act: (letters: LetterSummary[]) => Promise<Result[]>,
): Promise<number> {
  const filter = parseFilter(values, ids)
  const { status, ...conditions } = filter
  if (Object.keys(conditions).length === 0 && !values.all)
    throw misused(`name letters, or say which: without a filter it takes --all to mean every letter that is ${status}`)
  const limit = parseLimit(values.limit, maxLetters)
  const found = await desk.letters.find(filter, 'oldest first', limit + 1)
  const meant = found.slice(0, limit)
  const report = createReport(desk, values.json)
  for (const id of missing(filter, found)) report.add({ id, fault: `no letter of this id is ${status}` })
  await inChunks(meant, report, values['dry-run'] ? async (letters) => letters.map(asMeant) : act)
  if (!values.json) {
    if (found.length > limit) desk.print(`There are more than these ${limit}: run it again.\n`)
    desk.print(report.summary())
  }
  return report.failed > 0 ? 1 : 0
}

const asMeant = (letter: LetterSummary): Result => ({ letter, result: 'meant' })

/** Some letters at a time, with a line for each. */
export async function inChunks(
  letters: LetterSummary[],
  report: Report,
  act: (letters: LetterSummary[]) => Promise<Result[]>,
): Promise<void> {
  for (let start = 0; start < letters.length; start += chunkLetters) {
    const results = await act(letters.slice(start, start + chunkLetters))
    for (const { letter, ...rest } of results) report.add({ ...namesOf(letter), ...rest })
  }
}

type Line = { id: string; kind?: string; actorId?: string; type?: string; result?: string; fault?: string }

export type Report = ReturnType<typeof createReport>

/** Prints a line for each letter, and counts what became of them. */
export function createReport({ print }: Pick<Desk, 'print'>, isJson: boolean) {
  const counts = new Map<string, number>()
  return {
    get total() {
      return [...counts.values()].reduce((sum, count) => sum + count, 0)
    },
    get failed() {
      return counts.get('failed') ?? 0
    },
    add({ fault, ...line }: Line) {
      const result = fault === undefined ? (line.result ?? '') : 'failed'
      counts.set(result, (counts.get(result) ?? 0) + 1)
      if (isJson) return print(`${JSON.stringify({ ...line, result, cause: fault })}\n`)
      const { id, kind = '', actorId = '', type = '' } = line
      const words = [id, kind && `${kind}.${actorId}`, type, fault && `(${fault})`].filter((word) => word !== undefined)
      print(`${result.padEnd(9)} ${oneLine(words.join(' '))}\n`)
    },
    summary: () => {
      const parts = [...counts].map(([result, count]) => `${count} ${result}`)
      return `${parts.join(', ') || 'No dead letter is like that'}.\n`
    },
  }
}

function missing({ ids = [] }: LetterFilter, found: LetterSummary[]): string[] {
  const there = new Set(found.map(({ messageId }) => messageId))
  return ids.filter((id) => !there.has(id))
}

const namesOf = ({ messageId: id, kind, actorId, type }: LetterSummary) => ({ id, kind, actorId, type })
