import { partitionOf } from '../actor/ids.ts'
import { keyOf } from '../engine/cache.ts'
import type { RecordedSend, TurnRecord } from '../engine/ports.ts'
import type { FoundLetter, FoundTurn, MessageKey, PartitionView } from '../store/inspection.ts'
import type { Findings } from './findings.ts'
import { type Called, differenceAt } from './life.ts'
import { archivedBeforeOf } from './marks.ts'
import type { SeatLedger } from './seats.ts'

export type Limits = {
  partitions: number
  /** Where each partition stood at the moment that they are compared at. */
  heads: Map<number, number>
  graceMs: number
  findings: Findings
  /** Only when all partitions are looked at. */
  seats: SeatLedger | undefined
}

/** A command that a turn sent, and where to. */
export type Sent = { turn: TurnRecord; key: MessageKey; send: RecordedSend }

/** Those that say where to: what joined its batch up to 0.1.0 does not. */
export function sentBy(turn: TurnRecord, { partitions, findings }: Limits): Sent[] {
  return (turn.decision.sends ?? []).flatMap((send) => {
    const { send: kind, id } = send
    if (kind === undefined || id === undefined) {
      findings.unnamed += 1
      return []
    }
    const messageId = 'joined' in send ? send.joined : send.messageId
    return [{ turn, send, key: { kind, id, partition: partitionOf(id, partitions), messageId } }]
  })
}

/** Looks for the turns of what was sent; what has none is judged by how long it has been on its way. */
export async function checkSends(view: PartitionView, sends: Sent[], limits: Limits): Promise<void> {
  if (sends.length === 0) return
  limits.findings.look('sends', sends.length)
  const taken = new Map((await view.findTurns(sends.map(({ key }) => key))).map((turn) => [nameOf(turn), turn]))
  const untaken = sends.filter(({ key }) => !taken.has(nameOf(key)))
  const archivedBefore = await archivedBeforeOf(
    view,
    untaken.map(({ key }) => key),
  )
  const missing = untaken.filter(({ turn, key }) => turn.at >= archivedBefore(key))
  const letters = await lettersOf(
    view,
    missing.map(({ key }) => key.messageId),
  )
  for (const { turn, key, send } of missing) {
    const letter = letters.find(({ messageId, kind, actorId }) => {
      return messageId === key.messageId && kind === key.kind && actorId === key.id
    })
    const isJoined = 'joined' in send
    const what = isJoined ? 'a send that joined its commit' : send.command.type
    judge(view, { check: 'sends', turn, what: `${what} ${key.messageId} to ${keyOf(key)}`, letter, isJoined }, limits)
  }
  if (!limits.seats) return
  const open = sends.filter((send) => taken.has(nameOf(send.key)) || missing.includes(send))
  await noteSeats(view, open, taken, letters, limits.seats, limits.heads)
}

/** Judges calls of actors that have been followed to their ends without meeting the outcome. */
export async function checkCalls(view: PartitionView, open: Called[], limits: Limits): Promise<void> {
  const letters = await lettersOf(
    view,
    open.flatMap(({ messageId, outcome }) => [messageId, outcome]),
  )
  for (const { turn, messageId, outcome, what } of open) {
    const letter = letters.find((letter) => letter.messageId === messageId || letter.messageId === outcome)
    judge(view, { check: 'calls', turn, what: `${what} ${messageId}`, letter, isJoined: false }, limits)
  }
}

const nameOf = ({ kind, id, messageId }: MessageKey): string => `${kind}.${id}/${messageId}`

async function lettersOf(view: PartitionView, ids: string[]): Promise<FoundLetter[]> {
  return ids.length > 0 ? view.letters(ids) : []
}

type Untaken = {
  check: 'sends' | 'calls'
  turn: TurnRecord
  what: string
  letter: FoundLetter | undefined
  /** It was to have its turn in the very same commit. */
  isJoined: boolean
}

function judge(view: PartitionView, { check, turn, what, letter, isJoined }: Untaken, limits: Limits): void {
  const { findings, graceMs } = limits
  if (letter && letter.status !== 'requeued') {
    findings.deadLetters += 1
    return
  }
  const waitsMs = view.nowMs - Date.parse(letter?.requeuedAt ?? turn.at)
  // What is not published yet is going to be: by whoever owns the partition, or takes it over.
  const isSafe = turn.position > view.row.published && !isJoined
  if (isSafe || (waitsMs <= graceMs && (!isJoined || letter))) {
    findings.wait(check, waitsMs)
    return
  }
  const found = `no turn and no dead letter of it, ${Math.round(waitsMs / 1_000)} s after it was accepted`
  findings.differ(check, differenceAt(turn, `${what} was taken`, found))
}

/** The seats that were named by messages under way when the partitions are compared. */
async function noteSeats(
  view: PartitionView,
  sends: Sent[],
  taken: Map<string, FoundTurn>,
  letters: FoundLetter[],
  seats: SeatLedger,
  heads: Map<number, number>,
): Promise<void> {
  for (const { turn, key, send } of sends) {
    const found = taken.get(nameOf(key))
    const isAfterwards = turn.position > (heads.get(turn.partition) ?? 0)
    if (isAfterwards || (found && found.position <= (heads.get(found.partition) ?? 0))) continue
    const command = 'joined' in send ? await commandOf(view, key, found, letters) : send.command
    if (command) seats.noteUnderWay(key, command as Record<string, unknown>)
  }
}

/** What joined a commit and has no turn in it died there, and may have been sent back since. */
async function commandOf(view: PartitionView, key: MessageKey, found: FoundTurn | undefined, letters: FoundLetter[]) {
  if (found) return (await view.turn(found.partition, found.position))?.message
  const letter = letters.find(({ messageId, actorId }) => messageId === key.messageId && actorId === key.id)
  return letter && { ...bodyOf(letter), type: letter.type }
}

function bodyOf({ payload }: FoundLetter): object {
  try {
    return Object(JSON.parse(Buffer.from(payload).toString()))
  } catch {
    return {}
  }
}
