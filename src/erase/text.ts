import { table } from '../commands/text.ts'
import type { Outcome } from './erase.ts'

/** The outcome, for people. */
export function textOf({ tables, files, removed, waiting, behind, open, isDone }: Outcome, isDryRun: boolean): string {
  const done = isDryRun ? 'TO ERASE' : 'ERASED'
  const rows = [
    ...Object.entries(tables).map(([name, count]) => [`rows of ${name}`, count] as const),
    ['files of the archive', files] as const,
    ['public events in their stream', removed.events] as const,
    ['commands in the mailboxes', removed.mailbox] as const,
  ].filter(([, count]) => count > 0)
  return [
    rows.length > 0 ? table([['WHAT', done], ...rows.map(([what, count]) => [what, String(count)])]) : '',
    ...(waiting.mailbox > 0 ? [`${waiting.mailbox} commands that name the customer are still to be decided.\n`] : []),
    ...(waiting.effects > 0
      ? [`${waiting.effects} calls of services that name the customer are still to be made.\n`]
      : []),
    ...(behind > 0
      ? [`${behind} partitions have turns that are still to be told, or to be brought into the read models.\n`]
      : []),
    ...(open.until !== null ? [openLine(open.actors, open.until)] : []),
    `${verdictOf(isDone, isDryRun)}\n`,
  ].join('')
}

const openLine = (actors: number, until: string): string =>
  `${actors} bookings and bundles of erased customers still wait for tickets or services, the last until ${until}: ` +
  'a ticket that is confirmed by then brings its address with it. Erase once more afterwards.\n'

function verdictOf(isDone: boolean, isDryRun: boolean): string {
  if (isDryRun) return 'Nothing was changed.'
  return isDone ? 'Nothing names the customer any more.' : 'Not all of it is gone: run it again when that is over.'
}
