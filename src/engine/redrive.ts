import { outcomeId, partitionOf } from '../actor/ids.ts'
import { outgoingOf } from './outbox.ts'
import type { Address, OutgoingCommand, OutgoingEffect, OutgoingEvent, TurnRecord } from './ports.ts'
import type { RedriveStore, Taker, TakerKey } from './redrive-ports.ts'

/** A part of a partition's journal to look through. */
export type Stretch = {
  partition: number
  /** What comes after is looked at … */
  after: number
  /** … up to here. */
  upTo: number
  settled: number
  /** Of turns of later than this nothing is taken for lost: it may be on its way. RFC 3339 in UTC. */
  before?: string
  /** Public events of turns from then on are taken for lost. RFC 3339 in UTC. */
  eventsSince?: string | undefined
}

type Looking = Pick<RedriveStore, 'readJournal' | 'findTakers'>

export type Told = OutgoingCommand | OutgoingEffect | OutgoingEvent

/** Of what turns have told others: how many were looked at, have been taken, are too young to tell, and are lost. */
export type Count = { seen: number; taken: number; young: number; lost: number }
export type Counts = Record<'sends' | 'calls' | 'events', Count>

export type Page = {
  /** The last turn of it. */
  position: number
  /** Everything up to here has been taken for good. */
  settled: number
  counts: Counts
  /** In the order of the journal. */
  lost: { at: string; message: Told }[]
  /** Who has sent or called for what has not been taken for good, and whom it was for. */
  unsettled: Address[]
}

/** How many turns are looked at with one query. */
const pageTurns = 500
/** By so much the times of neighbours in a journal may be out of order: messages waited, and alarms did not. */
const disorderMs = 3_600_000

const kinds = { mailbox: 'sends', effects: 'calls', events: 'events' } as const

/**
 * Looks through a stretch of a partition's journal for what nobody has taken: sends without a turn of their target, calls
 * without the turn of their outcome, neither with a dead letter that somebody is to decide about. What joined the batch of
 * its sender needs no look. Nobody knows who takes public events; they are lost by the given time.
 *
 * Holds one page in memory. Rejects like the store.
 */
export async function* findLost(store: Looking, partitionCount: number, stretch: Stretch): AsyncGenerator<Page> {
  const { partition, after, upTo } = stretch
  let settled = stretch.settled
  let isUnbroken = after <= settled
  for (let position = after; position < upTo; ) {
    const turns = await store.readJournal(partition, position, Math.min(pageTurns, upTo - position))
    const told = turns.map((turn) => ({ turn, messages: outgoingOf(turn, true) as Told[] }))
    const keys = told.flatMap(({ turn, messages }) =>
      messages.flatMap((message) => keysOf(message, turn.at, partitionCount)),
    )
    const takers = new Map((await store.findTakers(keys)).map((taker) => [nameOf(taker), taker.by]))
    const page: Page = {
      position: turns.at(-1)?.position ?? upTo,
      settled,
      counts: noCounts(),
      lost: [],
      unsettled: [],
    }
    for (const { turn, messages } of told) {
      const open = messages.filter((message) => !judge(message, turn, takers, partitionCount, stretch, page))
      if (open.length > 0)
        page.unsettled.push({ kind: turn.kind, id: turn.actorId }, ...open.map(({ address }) => address))
      if (turn.position <= settled) continue
      // One that is not settled holds up all behind it. What is missing between two turns is archived, and settled.
      isUnbroken &&= open.length === 0
      if (isUnbroken) settled = turn.position
    }
    position = page.position
    yield { ...page, settled }
  }
}

/** Counts a message and, when it is lost, lists it. @returns whether it need never be looked at again */
function judge(
  message: Told,
  { at }: TurnRecord,
  takers: Map<string, Taker['by']>,
  partitionCount: number,
  { before, eventsSince }: Stretch,
  { counts, lost }: Page,
): boolean {
  const count = counts[kinds[message.to]]
  const isYoung = before !== undefined && Date.parse(at) > Date.parse(before)
  if (message.to === 'events' && (eventsSince === undefined || Date.parse(at) < Date.parse(eventsSince))) return true
  count.seen += 1
  const by = keysOf(message, at, partitionCount).map((key) => takers.get(nameOf(key)))
  const taker = by.find((one) => one !== undefined)
  if (taker) count.taken += 1
  else if (isYoung) count.young += 1
  else {
    count.lost += 1
    lost.push({ at, message })
  }
  return message.to === 'events' || (taker !== undefined && taker !== 'open letter')
}

/** Where the one who takes it leaves a trace. */
function keysOf({ to, address, messageId, ...more }: Told, sentAt: string, partitionCount: number): TakerKey[] {
  const partition = partitionOf(address.id, partitionCount)
  if (to === 'events') return []
  if (to === 'mailbox') return [{ ...address, partition, messageId, sentAt }]
  const { service } = more as OutgoingEffect
  return [
    { ...address, partition, messageId: outcomeId(messageId), sentAt },
    { kind: service, id: address.id, partition, messageId, sentAt },
  ]
}

const nameOf = ({ kind, id, messageId }: Omit<TakerKey, 'sentAt'>): string => `${kind}.${id}/${messageId}`

export function noCounts(): Counts {
  const none = (): Count => ({ seen: 0, taken: 0, young: 0, lost: 0 })
  return { sends: none(), calls: none(), events: none() }
}

export function addCounts(counts: Counts, more: Counts): void {
  for (const what of Object.values(kinds)) {
    for (const key of ['seen', 'taken', 'young', 'lost'] as const) counts[what][key] += more[what][key]
  }
}

/** The position before the first turn of a time; rather an hour too early than a turn too late. */
export async function positionBefore(
  store: Pick<RedriveStore, 'readJournal'>,
  partition: number,
  head: number,
  time: string,
) {
  const timeMs = Date.parse(time) - disorderMs
  let [low, high] = [0, head]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const [turn] = await store.readJournal(partition, middle, 1)
    if (turn && Date.parse(turn.at) < timeMs) low = middle + 1
    else high = middle
  }
  return low
}
