import { authorOf } from '../commands/options.ts'
import { oneLine, table } from '../commands/text.ts'
import { isStored, publishMs } from '../dead-letters/requeue.ts'
import type { Publisher } from '../engine/ports.ts'
import {
  addCounts,
  type Counts,
  findLost,
  noCounts,
  type Page,
  positionBefore,
  type Stretch,
} from '../engine/redrive.ts'
import type { RedriveStore, Standing } from '../engine/redrive-ports.ts'
import type { AuditStore } from '../store/audit.ts'
import { parseOptions, type RedriveOptions } from './options.ts'

export const help = `turnstile redrive [--dry-run] [options]

Publishes again what the broker has lost. Goes through the journal for sends that their target has had no turn for, and calls
that no outcome came for, and publishes those. They keep their ids, so nothing is done twice: a message that had its turn
meanwhile is ignored, and a service sees the same idempotency key. A daemon that finds that the broker has lost what it stored
does this by itself.

A call that waits in its queue, because its service is down or paused, has no outcome yet either and is queued once more;
look at what --dry-run lists before you go on.

  --dry-run             only says what it would publish
  --partition N         looks through this partition alone
  --older-than 1m       leaves alone what turns of less long ago have told, which may be on its way; s, m, h or d
  --events-since TIME   publishes the public events of all turns from then on too, lost or not: nobody knows who has them
  --by WHO              for the audit log; the user of this process unless given
  --reason WHY          for the audit log
  --json                one JSON object a line

  turnstile redrive --dry-run
  turnstile redrive --events-since 2027-01-01T20:00:00Z
`

export type Desk = {
  redrives: RedriveStore
  audit: Pick<AuditStore, 'append'>
  /** Who is at the keyboard, unless `--by` says otherwise. */
  user: string
  /** Connects to the broker when it is first asked for. */
  publisher(): Promise<Publisher>
  partitions: number
  nowMs(): number
  print(text: string): void
  /** Shows how far it is, in place of what was shown before. */
  printProgress(text: string): void
}

/** @returns the exit code: 1 when the broker did not store what is lost */
export async function redrive(args: string[], desk: Desk): Promise<number> {
  const options = parseOptions(args, desk.partitions, desk.nowMs())
  if (!options.isDryRun) await noteAct(desk, options)
  const standings = await desk.redrives.standings()
  const counts = noCounts()
  let isStuck = false
  for (const standing of standings) {
    if (options.partition !== undefined && standing.partition !== options.partition) continue
    isStuck = !(await redrivePartition(desk, standing, options, counts))
    if (isStuck) break
  }
  desk.printProgress('')
  desk.print(summaryOf(options, counts))
  if (isStuck) desk.print(stuck)
  return isStuck ? 1 : 0
}

/** Before it begins: one that is interrupted has been done too. */
async function noteAct(
  { audit, user }: Desk,
  { partition, before, eventsSince, ...author }: RedriveOptions,
): Promise<void> {
  const subject = partition === undefined ? 'all partitions' : `partition ${partition}`
  const details = { before, events_since: eventsSince ?? null }
  await audit.append({ act: 'redrive', subject, details }, authorOf({ user }, author))
}

const stuck = `The broker has not stored it within ${publishMs / 1_000} s. Run it again when it works: nothing is done twice.\n`

/** @returns false when the broker does not store what is published */
async function redrivePartition(
  { redrives, publisher, partitions, print, printProgress }: Desk,
  standing: Standing,
  { isDryRun, isJson, before, eventsSince }: RedriveOptions,
  counts: Counts,
): Promise<boolean> {
  const { partition, settled, published: upTo } = standing
  const first = eventsSince === undefined ? settled : await positionBefore(redrives, partition, upTo, eventsSince)
  const stretch: Stretch = { partition, after: Math.min(settled, first), upTo, settled, before, eventsSince }
  const round = `redrive-${before}`
  for await (const page of findLost(redrives, partitions, stretch)) {
    if (!isDryRun && page.lost.length > 0) {
      const messages = page.lost.map(({ message }) => ({ ...message, round }))
      if (!(await isStored(await publisher(), messages))) return false
    }
    for (const line of page.lost) print(lineOf(line, isDryRun, isJson))
    addCounts(counts, page.counts)
    printProgress(`partition ${partition}: ${page.position} of ${upTo} turns`)
    if (!isDryRun) await redrives.noteSettled(partition, page.settled)
  }
  return true
}

function lineOf({ at, message }: Page['lost'][number], isDryRun: boolean, isJson: boolean): string {
  const { to, address, messageId: id } = message
  const { type } = to === 'mailbox' ? message.command : to === 'effects' ? message.request : message.event
  const what = { mailbox: 'send', effects: 'call', events: 'event' }[to]
  const actor = `${address.kind}.${address.id}`
  const service = to === 'effects' ? message.service : undefined
  const result = isDryRun ? 'meant' : 'published'
  if (isJson) return `${JSON.stringify({ what, id, actor, service, type, at, result })}\n`
  const words = [result.padEnd(9), what.padEnd(5), id, at, actor, service, type]
  return `${oneLine(words.filter((word) => word !== undefined).join(' '))}\n`
}

function summaryOf({ isDryRun, isJson }: RedriveOptions, counts: Counts): string {
  if (isJson) return `${JSON.stringify({ counts })}\n`
  const rows = Object.entries(counts).map(([what, { seen, taken, young, lost }]) => [
    what,
    ...[seen, taken, young, lost].map(String),
  ])
  return table([['', 'LOOKED AT', 'TAKEN', 'TOO YOUNG', isDryRun ? 'TO PUBLISH' : 'PUBLISHED'], ...rows])
}
