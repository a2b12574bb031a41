import type { AnyActor, Reply } from '../../src/actor/actor.ts'
import { deriveId, partitionOf } from '../../src/actor/ids.ts'
import { alarmOf, fold } from '../../src/actor/turn.ts'
import type { Stored } from '../../src/broker/wire.ts'
import { messageKeyOf } from '../../src/engine/batch.ts'
import type {
  Address,
  Commit,
  CommitPosition,
  DeadLetter,
  PartitionRow,
  StoredActor,
  TurnRecord,
} from '../../src/engine/ports.ts'
import type { Changes } from '../../src/engine/read-model-ports.ts'
import { isSameJson } from './json.ts'
import type { Deed } from './services.ts'
import type { Sightings } from './sightings.ts'
import { sightsOf } from './sights-of-turns.ts'

/** The code of what is set aside by a pause, and comes back when that ends. */
export const heldBack = 'actor-paused'

/** A promise that was broken: which one, and by whom. */
export type Violation = { invariant: string; details: string }

type Partition = { epoch: number; head: number; cursor: number }
type Alarm = { at: string; messageId: string; epoch: number }
type Known = { version: number; state: unknown; alarm?: Alarm | undefined }

export type WitnessOptions = {
  actors: Record<string, AnyActor>
  partitions: number
  nowMs: () => number
  sightings: Sightings
  /** Whether two processes have carried this effect out at the same time. */
  wasShared(effectId: string): boolean
}

/**
 * Sees every commit, every stored message and every deed of a service, and holds each against all that came before. The
 * first promise that is broken is its `violation`; what is promised and still to come is in `open`.
 */
export class Witness {
  violation: Violation | undefined
  readonly actors = new Map<string, Known>()
  readonly turns = new Map<string, TurnRecord>()
  readonly letters = new Map<string, DeadLetter>()
  /** By action and subject: the keys under which services did it, one entry for each time. */
  readonly deeds = new Map<string, string[]>()
  readonly #options: WitnessOptions
  readonly #partitions = new Map<number, Partition>()
  /** What may be stored in a stream: somebody asked it, or a committed turn or effect tells it. */
  readonly #told = new Set<string>()
  readonly #stored = new Set<string>()
  readonly #effects = new Set<string>()
  /** Ids of effects by the ids of their outcomes. */
  readonly #outcomes = new Map<string, string>()
  /** Those that have come to an end: their outcome is decided, or they are set aside. */
  readonly #settled = new Set<string>()
  readonly #replies = new Map<string, string>()
  /** Told by a turn, and neither stored by the broker nor carried out yet. */
  readonly #unpublished = new Set<string>()
  /** Stored in a mailbox, and neither decided nor set aside yet. */
  readonly #undecided = new Set<string>()
  /** Set aside by a pause, and not sent back yet. */
  readonly #heldBack = new Set<string>()
  /** Stored in a queue, and its outcome neither told nor the effect set aside yet. */
  readonly #unsettled = new Set<string>()
  readonly #alarms = new Map<string, Alarm>()
  /** How far each read model is, by name and partition. */
  readonly #projected = new Map<string, number>()

  constructor(options: WitnessOptions) {
    this.#options = options
    for (let id = 0; id < options.partitions; id++) this.#partitions.set(id, { epoch: 0, head: 0, cursor: 0 })
  }

  /** What is still to come, in words; nothing when everything has come to its end. */
  open(): string[] {
    return [
      ...[...this.#undecided].map((key) => `${key} is neither decided nor set aside`),
      ...[...this.#heldBack].map((key) => `${key} is set aside by a pause and has not come back`),
      ...[...this.#unpublished].map(
        (id) => `${id} is told by a committed turn and was neither stored by the broker nor carried out`,
      ),
      ...[...this.#unsettled].map((id) => `the effect ${id} has no outcome and is no dead letter`),
      ...[...this.#alarms].map(([key, { at }]) => `the alarm of ${key} for ${at} has not gone off`),
    ]
  }

  get isOpen(): boolean {
    const open = [this.#undecided, this.#heldBack, this.#unpublished, this.#unsettled, this.#alarms]
    return open.some(({ size }) => size > 0)
  }

  isUndecided({ subject, headers }: Pick<Stored, 'subject' | 'headers'>): boolean {
    return this.#undecided.has(mailboxKeyOf(subject, idOf(headers)))
  }

  // ── Partitions and commits ────────────────────────────────────────────────────────────────────────────────────────

  /** A commit that was refused for an epoch that has passed: somebody came back who did not know of it. */
  isZombie({ partitions }: Commit): boolean {
    return partitions.some(({ id, epoch }) => epoch < this.#partition(id).epoch)
  }

  claimed(worker: string, rows: PartitionRow[]): void {
    for (const { id, epoch, head, cursor } of rows) {
      const known = this.#partition(id)
      if (epoch <= known.epoch) this.#break('a claim raises the epoch', `${worker} got ${id} with epoch ${epoch}`)
      if (head !== known.head) this.#break('the journal has no gap', `partition ${id}: ${head} for ${known.head}`)
      Object.assign(known, { epoch, cursor })
    }
  }

  committed(batch: Commit): void {
    for (const position of batch.partitions) this.#advance(position)
    const positions = new Map(batch.partitions.map(({ id, head }) => [id, head]))
    const inBatch = new Set([...batch.turns, ...batch.deadLetters].map(({ messageId }) => messageId))
    for (const turn of batch.turns) {
      const position = (positions.get(turn.partition) ?? Number.NaN) + 1
      positions.set(turn.partition, position)
      if (turn.position !== position) {
        this.#break('positions run 1, 2, 3 …', `partition ${turn.partition}: ${turn.position} for ${position}`)
      }
      this.#turn(turn, batch, inBatch)
    }
    for (const { id, head, turns } of batch.partitions) {
      if (positions.get(id) !== head + turns) this.#break('the head counts the turns', `partition ${id}`)
    }
    for (const state of batch.states) this.#state(state)
    for (const letter of batch.deadLetters) this.setAside(letter)
  }

  setAside(letter: DeadLetter): void {
    const { kind, actorId, messageId, code, type } = letter
    const key = messageKeyOf({ to: { kind, id: actorId }, messageId })
    this.#options.sightings.note(`dead letter ${letter.code}` as never)
    this.letters.set(key, letter)
    this.#undecided.delete(key)
    this.#settle(messageId)
    const actor = keyOf({ kind, id: actorId })
    const isAlarm = this.#alarms.get(actor)?.messageId === messageId
    if (isAlarm) this.#alarms.delete(actor)
    if (code === heldBack) {
      this.#heldBack.add(key)
      // What joined its batch, or was an alarm, has not been in a mailbox yet.
      this.#told.add(messageId)
      if (isAlarm) this.#options.sightings.note('alarm set aside by a pause')
    }
    const isOurs = (code === 'turn-threw' || code === 'commit-rejected') && kind !== 'agent'
    if (isOurs) this.#break('no turn fails', `${type} to ${actor} (${messageId}): ${code}, ${letter.cause}`)
  }

  #advance({ id, epoch, head, turns, from, cursor }: CommitPosition): void {
    const known = this.#partition(id)
    if (epoch !== known.epoch) {
      this.#break('one epoch writes at a time', `partition ${id} has epoch ${known.epoch}, epoch ${epoch} has written`)
    }
    if (head !== known.head || from !== known.cursor) {
      const places = `head ${head} cursor ${from} for head ${known.head} cursor ${known.cursor}`
      this.#break('a commit demands where the one before ended', `partition ${id}: ${places}`)
    }
    Object.assign(known, { head: head + turns, cursor })
  }

  #turn(turn: TurnRecord, batch: Commit, inBatch: Set<string>): void {
    const { kind, actorId: id, version, messageId, decision, meta } = turn
    const to = { kind, id }
    const key = messageKeyOf({ to, messageId })
    if (this.turns.has(key)) this.#break('a message has one turn', `${turn.message.type} ${key}`)
    this.turns.set(key, turn)
    this.#undecided.delete(key)
    this.#heldBack.delete(key)

    const known = this.actors.get(keyOf(to)) ?? { version: 0, state: this.#actor(kind).initial }
    if (version !== known.version + 1) {
      this.#break('versions run 1, 2, 3 …', `${keyOf(to)}: ${version} for ${known.version + 1}`)
    }
    for (const sight of sightsOf(decision.events ?? [], known.state)) this.#options.sightings.note(sight)
    known.version = version
    known.state = fold(this.#actor(kind), known.state, decision.events ?? [])
    this.actors.set(keyOf(to), known)
    if (decision.because === 'not-reserved') this.#break('sold + free = capacity', `${keyOf(to)}: ${messageId}`)
    this.#ring(to, turn, known)

    for (const { messageId: told } of decision.publishes ?? []) this.#tell(told)
    for (const send of decision.sends ?? []) {
      if ('joined' in send) {
        this.#options.sightings.note('send joined the batch')
        if (!inBatch.has(send.joined)) this.#break('what joined a batch is in it', `${send.joined} of ${messageId}`)
        continue
      }
      this.#tell(send.messageId)
      const target = partitionOf(send.id, this.#options.partitions)
      if (batch.turns.length >= 8 && batch.partitions.some(({ id }) => id === target)) {
        this.#options.sightings.note('chain goes on through the broker')
      }
    }
    for (const { messageId: told } of decision.calls ?? []) {
      this.#tell(told)
      this.#effects.add(told)
      const outcome = deriveId(told, 'outcome')
      this.#told.add(outcome)
      this.#outcomes.set(outcome, told)
    }
    if (decision.reply) this.#reply(meta.requestId ?? messageId, decision.reply)
    this.#settle(this.#outcomes.get(messageId))
  }

  #settle(effectId: string | undefined): void {
    if (effectId === undefined) return
    this.#unpublished.delete(effectId)
    this.#unsettled.delete(effectId)
    this.#settled.add(effectId)
  }

  #ring(to: Address, turn: TurnRecord, known: Known): void {
    const key = keyOf(to)
    const before = this.#alarms.get(key)
    const { epoch } = this.#partition(turn.partition)
    const hasRung = before?.messageId === turn.messageId
    if (before && hasRung) {
      this.#options.sightings.note('alarm rang')
      if (before.epoch !== epoch) this.#options.sightings.note('alarm rang after a takeover')
      if (Date.parse(before.at) > this.#options.nowMs()) this.#break('no alarm is early', `${key}, for ${before.at}`)
    }
    const at = alarmOf(this.#actor(to.kind), known.state)?.at
    if (at === undefined || (hasRung && at === before?.at)) known.alarm = undefined
    else if (at !== before?.at) known.alarm = { at, epoch, messageId: deriveId(to.id, `${to.kind}/alarm/${at}`) }
    if (known.alarm) this.#alarms.set(key, known.alarm)
    else this.#alarms.delete(key)
  }

  #state({ kind, id, version, state, wake }: StoredActor): void {
    const known = this.actors.get(keyOf({ kind, id }))
    const isFold = known?.version === version && isSameJson(known.state, state)
    if (!isFold) this.#break('state = fold(journal)', `${keyOf({ kind, id })}, version ${version}`)
    const { deadline_at } = state as { deadline_at?: string }
    if (kind === 'bundle' && deadline_at !== undefined && wake?.at !== deadline_at) {
      this.#break(
        'a step that waits has a deadline',
        `${keyOf({ kind, id })}: ${wake?.at ?? 'none'} for ${deadline_at}`,
      )
    }
    if (wake?.at !== known?.alarm?.at) {
      const times = `${wake?.at ?? 'none'} for ${known?.alarm?.at ?? 'none'}`
      this.#break('the alarm is stored with the state', `${keyOf({ kind, id })}: ${times}`)
    }
    const reserved = state as { reserved?: number; capacity?: number }
    if (kind === 'show' && ((reserved.reserved ?? 0) > (reserved.capacity ?? 0) || (reserved.reserved ?? 0) < 0)) {
      this.#break('sold + free = capacity', `${keyOf({ kind, id })}: ${JSON.stringify(state)}`)
    }
  }

  #tell(messageId: string): void {
    this.#told.add(messageId)
    if (!this.#stored.has(messageId)) this.#unpublished.add(messageId)
  }

  // ── Read models ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** Rows and positions were written. */
  projected(changes: Changes[]): void {
    for (const { name, moves } of changes) {
      for (const { partition, after, upTo } of moves) {
        const key = `${name}/${partition}`
        const known = this.#projected.get(key) ?? 0
        const { head } = this.#partition(partition)
        if (after !== known) this.#break('a turn is in a read model once', `${key}: from ${after} on for ${known}`)
        if (upTo > head) this.#break('read models follow the journal', `${key}: up to ${upTo} of ${head}`)
        this.#projected.set(key, upTo)
      }
    }
  }

  // ── What is said ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** Somebody outside publishes this. */
  asked(messageId: string): void {
    this.#told.add(messageId)
  }

  /** A message got into a stream. */
  stored(stream: 'mailbox' | 'events' | 'effects', message: Stored): void {
    const messageId = idOf(message.headers)
    if (!this.#told.has(messageId)) {
      this.#break('nothing is told that is not committed', `${message.subject} ${messageId}`)
    }
    if (this.#stored.has(messageId)) this.#options.sightings.note('message stored twice')
    this.#stored.add(messageId)
    this.#unpublished.delete(messageId)
    if (stream === 'effects' && !this.#settled.has(messageId)) this.#unsettled.add(messageId)
    if (stream !== 'mailbox') return
    const key = mailboxKeyOf(message.subject, messageId)
    if (this.#heldBack.delete(key)) this.letters.delete(key)
    if (!this.turns.has(key) && !this.letters.has(key)) this.#undecided.add(key)
  }

  /** The broker has lost public events. Nobody knows who had them: all are to be published again. */
  lost(events: Stored[]): void {
    for (const { headers } of events) this.#unpublished.add(idOf(headers))
  }

  /** Somebody is answered. */
  answers(requestId: string, reply: Reply): void {
    if ('refused' in reply && ['dead-letter', 'paused'].includes(reply.refused)) return
    const committed = this.#replies.get(requestId)
    const given = JSON.stringify(reply)
    if (committed === undefined) this.#break('an answer is committed before it is given', `${requestId}: ${given}`)
    else if (committed !== given) this.#break('a request has one answer', `${requestId}: ${given} for ${committed}`)
  }

  #reply(requestId: string, reply: Reply): void {
    const given = JSON.stringify(reply)
    const before = this.#replies.get(requestId)
    if (before !== undefined) this.#break('a request has one answer', `${requestId}: ${before}, then ${given}`)
    this.#replies.set(requestId, given)
  }

  // ── What services do ──────────────────────────────────────────────────────────────────────────────────────────────

  done({ action, subject, key }: Deed): void {
    if (!this.#effects.has(key)) this.#break('no call but of a committed turn', `${action} for ${subject}, key ${key}`)
    const deed = `${action} ${subject}`
    const before = this.deeds.get(deed) ?? []
    this.deeds.set(deed, [...before, key])
    if (before.length === 0) return
    // The append of a row has no key: two who are at it at the same time both find that it is missing.
    const isExcused = before.includes(key) && action.startsWith('row') && this.#options.wasShared(key)
    if (isExcused) this.#options.sightings.note('row appended by two attempts at once')
    else this.#break('an effect is carried out once', `${deed}: keys ${[...before, key].join(', ')}`)
  }

  #partition(id: number): Partition {
    return this.#partitions.get(id) as Partition
  }

  #actor(kind: string): AnyActor {
    return this.#options.actors[kind] as AnyActor
  }

  #break(invariant: string, details: string): void {
    this.violation ??= { invariant, details }
  }
}

/** What is redriven or sent back goes by another name for the broker. */
const idOf = (headers: Stored['headers']): string => headers['Message-ID'] ?? headers['Nats-Msg-Id'] ?? ''

function mailboxKeyOf(subject: string, messageId: string): string {
  const [, , , kind = '', id = ''] = subject.split('.')
  return messageKeyOf({ to: { kind, id }, messageId })
}

const keyOf = ({ kind, id }: Address): string => `${kind}.${id}`
