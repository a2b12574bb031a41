import type { Service } from '../../schemas/index.ts'
import type { ArchiveMark } from '../engine/archive-ports.ts'
import type {
  Address,
  Census,
  Claim,
  Cluster,
  Commit,
  CommitResult,
  DeadLetter,
  DueAlarm,
  EffectFailure,
  FailingCall,
  Feed,
  KnownTurn,
  PartitionRow,
  Pause,
  Reads,
  Store,
  StoredActor,
  StreamMark,
  StreamName,
  StreamState,
  TurnEvents,
  TurnRecord,
  Wake,
} from '../engine/ports.ts'
import type { RedriveOrder, RedriveStore, Standing, Taker, TakerKey } from '../engine/redrive-ports.ts'
import { json } from './encode.ts'
import { requestOf } from './failing-calls.ts'

type Located = Address & { partition: number }
type Progress = { id: number; epoch: number; published: number }
type Worker = { leaseUntilMs: number; lag: number }
type RequestKey = { digest: string; claimedAtMs: number }

type Redrive = Omit<RedriveOrder, 'upTo'> & { upTo: number | null; dueAtMs: number }

const settleMs = 5_000
const weekMs = 7 * 24 * 60 * 60 * 1_000

/** A dead letter as it is kept: one for each message, however often it came. */
export type StoredLetter = DeadLetter & { attempts: number }
type Status = 'open' | 'requeued' | 'discarded'

/**
 * The store in memory, for tests and the simulation: it does what the real one does, by a clock that is given to it. What
 * goes in and out is copied by way of JSON, as it is on the way to a database.
 */
export class MemoryStore implements Store, Reads, Feed, RedriveStore {
  readonly #nowMs: () => number
  readonly #partitions = new Map<number, PartitionRow>()
  readonly #workers = new Map<string, Worker>()
  readonly #journals = new Map<number, TurnRecord[]>()
  readonly #turns = new Map<string, TurnRecord>()
  readonly #actors = new Map<string, StoredActor>()
  readonly #letters = new Map<string, StoredLetter>()
  readonly #pauses = new Map<string, Pause>()
  readonly #failures = new Map<string, EffectFailure & { at: string }>()
  /** What became of the letters that are not open any more. */
  readonly #settledLetters = new Map<string, Status>()
  readonly #streams = new Map<StreamName, StreamMark>()
  readonly #redrives = new Map<number, Redrive>()
  readonly #requestKeys = new Map<string, RequestKey>()
  readonly #marks = new Map<string, ArchiveMark>()
  /** The greatest position that is archived, by partition. */
  readonly #archivedUpTo = new Map<number, number>()

  /** @param nowMs the database's clock */
  constructor(partitions: number, nowMs: () => number) {
    this.#nowMs = nowMs
    for (let id = 0; id < partitions; id++) {
      this.#partitions.set(id, { id, epoch: 0, owner: null, cursor: 0, stream: '', head: 0, published: 0, armed: 0 })
      this.#journals.set(id, [])
    }
  }

  get deadLetters(): StoredLetter[] {
    return [...this.#letters.values()]
  }

  async heartbeat(worker: string, leaseMs: number, lag: number): Promise<Cluster> {
    this.#workers.set(worker, { leaseUntilMs: this.#nowMs() + leaseMs, lag })
    const partitions = [...this.#partitions.values()].map(({ id, epoch, owner }) => {
      return { id, epoch, owner, ownerIsAlive: this.#isAlive(owner) }
    })
    const workers = [...this.#workers.keys()].filter((id) => this.#isAlive(id)).sort()
    return { workers, partitions, pauses: await this.readPauses() }
  }

  async claim(worker: string, partitions: number[], stream: StreamState): Promise<PartitionRow[]> {
    const free = this.#rows(partitions).filter(({ owner }) => owner === worker || !this.#isAlive(owner))
    for (const row of free) {
      const isValid = row.stream === stream.id && row.cursor <= stream.lastSequence
      const cursor = isValid ? row.cursor : 0
      Object.assign(row, { owner: worker, epoch: row.epoch + 1, stream: stream.id, cursor })
    }
    return free.map((row) => ({ ...row }))
  }

  async readStreams(): Promise<StreamMark[]> {
    return [...this.#streams.values()].map((mark) => {
      const cursors = [...this.#partitions.values()]
        .filter(({ stream }) => stream === mark.id)
        .map(({ cursor }) => cursor)
      const passed = mark.name === 'mailbox' ? cursors : []
      return { ...mark, lastSequence: Math.max(mark.lastSequence, ...passed) }
    })
  }

  async noteStream(name: StreamName, now: StreamState, seen: StreamMark | undefined): Promise<void> {
    const known = this.#streams.get(name) ?? { name, ...now, losses: 0 }
    if (known.id === now.id && known.losses === (seen?.losses ?? 0))
      this.#streams.set(name, { ...known, lastSequence: Math.max(known.lastSequence, now.lastSequence) })
  }

  async noteLoss(seen: StreamMark, now: StreamState, eventsKeptMs: number | undefined): Promise<boolean> {
    const { name, losses } = seen
    if (this.#streams.get(name)?.losses !== losses) return false
    this.#streams.set(name, { name, ...now, losses: losses + 1 })
    for (const row of this.#partitions.values()) {
      if (name === 'mailbox') Object.assign(row, { owner: null, epoch: row.epoch + 1, cursor: 0 })
      this.#orderRedrive(row, eventsKeptMs)
    }
    return true
  }

  async release(partitions: Progress[]): Promise<void> {
    for (const row of this.#noteProgress(partitions)) row.owner = null
  }

  async leave(worker: string): Promise<void> {
    this.#workers.delete(worker)
  }

  async saveProgress(partitions: Progress[]): Promise<void> {
    this.#noteProgress(partitions)
  }

  async readPartitions(ids: number[]): Promise<PartitionRow[]> {
    return this.#rows(ids).map((row) => ({ ...row }))
  }

  async dueAlarms(partitions: number[], limit: number): Promise<DueAlarm[]> {
    const nowMs = this.#nowMs()
    const now = new Date(nowMs).toISOString()
    return [...this.#actors.values()]
      .filter(({ partition, wake }) => wake && wake.at <= now && partitions.includes(partition))
      .map(({ partition, kind, id, wake }) => ({ partition, kind, id, nowMs, ...(wake as Wake) }))
      .sort((a, b) => a.at.localeCompare(b.at))
      .slice(0, limit)
  }

  async lastIds(partitions: number[], kinds: string[]): Promise<Located[]> {
    const last = new Map<string, Located>()
    for (const { partition, kind, id } of this.#actors.values()) {
      const key = `${partition}/${kind}`
      if (partitions.includes(partition) && kinds.includes(kind) && id > (last.get(key)?.id ?? ''))
        last.set(key, { partition, kind, id })
    }
    return [...last.values()]
  }

  async load(addresses: Located[]): Promise<StoredActor[]> {
    return addresses.flatMap((address) => copy(this.#actors.get(keyOf(address)) ?? []))
  }

  async actor(address: Located): Promise<StoredActor | undefined> {
    return (await this.load([address]))[0]
  }

  async commit(batch: Commit): Promise<CommitResult> {
    const lost = batch.partitions.filter(({ id, epoch, head, from }) => {
      const row = this.#partitions.get(id)
      return row?.epoch !== epoch || row.head !== head || row.cursor !== from
    })
    if (lost.length > 0) return { outcome: 'fenced', partitions: lost.map(({ id }) => id).sort((a, b) => a - b) }
    const ended = batch.pauses.filter((pause) => !this.#pauses.has(pauseKey(pause)))
    if (ended.length > 0) return { outcome: 'resumed', pauses: ended }
    const ids = batch.turns.map(turnKey)
    if (new Set(ids).size < ids.length || ids.some((id) => this.#turns.has(id))) return { outcome: 'duplicate' }
    const stale = batch.states.find((state) => state.version <= (this.#actors.get(keyOf(state))?.version ?? 0))
    if (stale) return { outcome: 'rejected', error: new Error(`the version of ${keyOf(stale)} does not rise`) }

    try {
      const { turns, states } = copy({ turns: batch.turns, states: batch.states })
      this.#write({ ...batch, turns, states })
      return { outcome: 'committed' }
    } catch (error) {
      return { outcome: 'rejected', error: error as Error }
    }
  }

  async findTurns(keys: (Located & { messageId: string })[]): Promise<KnownTurn[]> {
    return keys.flatMap((key) => {
      const turn = this.#turns.get(`${keyOf(key)}/${key.messageId}`)
      if (!turn) return []
      const { kind, actorId, messageId, meta } = turn
      const reply = this.#replyTo(turn)
      const { fingerprint } = meta
      return { kind, actorId, messageId, ...(fingerprint !== undefined && { fingerprint }), ...(reply && { reply }) }
    })
  }

  async keepDeadLetter(letter: DeadLetter): Promise<void> {
    this.#keep(letter)
  }

  async readPauses(): Promise<Pause[]> {
    return [...this.#pauses.keys()].sort().flatMap((key) => this.#pauses.get(key) ?? [])
  }

  /** What an operator does. */
  pause(pause: Pause): void {
    this.#pauses.set(pauseKey(pause), pause)
  }

  /** What an operator does. */
  resume(pause: Pause): void {
    this.#pauses.delete(pauseKey(pause))
  }

  async noteFailure(failure: EffectFailure): Promise<void> {
    this.#failures.set(failureKey(failure), copy({ ...failure, at: new Date(this.#nowMs()).toISOString() }))
  }

  async forgetFailure(failure: Located & { effectId: string }): Promise<void> {
    this.#failures.delete(failureKey(failure))
  }

  async failingCalls({ kind, id }: Located): Promise<FailingCall[]> {
    const failing = [...this.#failures.values()].filter((failure) => failure.kind === kind && failure.id === id)
    const letters = this.deadLetters.filter(({ actorId, headers }) => actorId === id && headers['Actor-Kind'] === kind)
    const calls = [
      ...failing.map(({ service, request, attempts, cause, at }) => {
        return { service, request, attempts, cause, at, isDeadLetter: false }
      }),
      ...letters.map(({ kind, type, payload, attempts, cause, at }) => {
        return { service: kind as Service, request: requestOf(type, payload), attempts, cause, at, isDeadLetter: true }
      }),
    ]
    return calls.sort((a, b) => a.at.localeCompare(b.at))
  }

  async readJournal(partition: number, after: number, limit: number): Promise<TurnRecord[]> {
    return copy(this.#behind(partition, after, limit))
  }

  async findTakers(keys: TakerKey[]): Promise<Taker[]> {
    return keys.flatMap((key) => {
      const { sentAt, ...asked } = key
      const isArchived = (this.#marks.get(keyOf(key))?.before ?? '') > sentAt
      if (isArchived || this.#turns.has(`${keyOf(key)}/${key.messageId}`)) return { ...asked, by: 'turn' as const }
      const name = letterKey({ ...key, actorId: key.id })
      const status = this.#letters.has(name) ? (this.#settledLetters.get(name) ?? 'open') : 'requeued'
      return status === 'requeued' ? [] : { ...asked, by: `${status} letter` as const }
    })
  }

  /** What an archiver does with an actor's first turns: they are in no journal any more. */
  archive(mark: ArchiveMark): void {
    this.#marks.set(keyOf(mark), mark)
    const isGone = (turn: TurnRecord) =>
      turn.kind === mark.kind && turn.actorId === mark.id && turn.version <= mark.version
    const journal = this.#journals.get(mark.partition) ?? []
    for (const turn of journal.filter(isGone)) {
      this.#turns.delete(turnKey(turn))
      this.#archivedUpTo.set(mark.partition, Math.max(this.#archivedUpTo.get(mark.partition) ?? 0, turn.position))
    }
    this.#journals.set(
      mark.partition,
      journal.filter((turn) => !isGone(turn)),
    )
  }

  async archivedUpTo(): Promise<number[]> {
    return [...this.#partitions.keys()].map((id) => this.#archivedUpTo.get(id) ?? 0)
  }

  async archivedOf(address: Located): Promise<number> {
    return this.#marks.get(keyOf(address))?.version ?? 0
  }

  statusOf(letter: DeadLetter): Status {
    return this.#settledLetters.get(letterKey(letter)) ?? 'open'
  }

  /** What an operator does. */
  settle(letter: DeadLetter, status: Status): void {
    this.#settledLetters.set(letterKey(letter), status)
  }

  async standings(): Promise<Standing[]> {
    return [...this.#partitions.values()].map(({ id, published }) => {
      return { partition: id, published, settled: this.#redriveOf(id).settled }
    })
  }

  async noteSettled(partition: number, settled: number): Promise<void> {
    const redrive = this.#redriveOf(partition)
    this.#redrives.set(partition, { ...redrive, settled: Math.max(redrive.settled, settled) })
  }

  async orders(partitions: number[]): Promise<RedriveOrder[]> {
    return partitions.flatMap((id) => {
      const { dueAtMs, upTo, ...order } = this.#redriveOf(id)
      return upTo !== null && dueAtMs <= this.#nowMs() ? { ...order, upTo } : []
    })
  }

  async noteRedriven({
    partition,
    round,
    upTo,
    position,
    settled,
  }: RedriveOrder & { position: number }): Promise<void> {
    const redrive = this.#redriveOf(partition)
    if (redrive.round !== round || redrive.upTo === null) return
    const isOver = position >= upTo
    Object.assign(
      redrive,
      { position, settled: Math.max(redrive.settled, settled) },
      isOver && { upTo: null, eventsSince: null },
    )
    this.#redrives.set(partition, redrive)
  }

  async claimKey(id: string, digest: string): Promise<Claim> {
    for (const [other, { claimedAtMs }] of this.#requestKeys) {
      if (other !== id && claimedAtMs < this.#nowMs() - weekMs) this.#requestKeys.delete(other)
    }
    const holder = this.#requestKeys.get(id)
    if (holder) return { digest: holder.digest, isNew: false }
    this.#requestKeys.set(id, { digest, claimedAtMs: this.#nowMs() })
    return { digest, isNew: true }
  }

  async health(): Promise<{ lag: number; workers: number }> {
    const alive = [...this.#workers].filter(([id]) => this.#isAlive(id))
    return { lag: alive.reduce((sum, [, { lag }]) => sum + lag, 0), workers: alive.length }
  }

  async census(): Promise<Census> {
    const { workers } = await this.health()
    const unowned = [...this.#partitions.values()].filter(({ owner }) => !this.#isAlive(owner)).length
    const open = [...this.#letters].filter(([key]) => (this.#settledLetters.get(key) ?? 'open') === 'open')
    const openLetters = countBy(open, ([, { code }]) => code).map(([code, count]) => ({ code, count }))
    const failing = countBy([...this.#failures.values()], ({ service }) => service)
    const failingCalls = failing.map(([service, count]) => ({ service, count }))
    return { workers, unowned, openLetters, failingCalls }
  }

  async heads(): Promise<number[]> {
    return [...this.#partitions.values()].map(({ head }) => head)
  }

  async turnsAfter(seen: { partition: number; after: number }[], limit: number): Promise<TurnEvents[]> {
    return seen.flatMap(({ partition, after }) => {
      return this.#behind(partition, after, limit).map(eventsOf)
    })
  }

  async turnsOf(seen: (Located & { after: number })[], limit: number): Promise<TurnEvents[]> {
    return seen.flatMap(({ partition, kind, id, after }) => {
      const own = (this.#journals.get(partition) ?? []).filter((turn) => turn.kind === kind && turn.actorId === id)
      return own
        .filter(({ version }) => version > after)
        .slice(0, limit)
        .map(eventsOf)
    })
  }

  /** As long as nothing is archived, a turn's place is its position. */
  #behind(partition: number, after: number, limit = Number.POSITIVE_INFINITY): TurnRecord[] {
    const journal = this.#journals.get(partition) ?? []
    let first = Math.min(after, journal.length)
    while (first > 0 && Number(journal[first - 1]?.position) > after) first -= 1
    return journal.slice(first, first + limit)
  }

  #redriveOf(partition: number): Redrive {
    const none = { partition, settled: 0, position: null, upTo: null, eventsSince: null, round: 0, dueAtMs: 0 }
    return { ...(this.#redrives.get(partition) ?? none) }
  }

  #orderRedrive({ id, head }: PartitionRow, eventsKeptMs: number | undefined): void {
    const redrive = this.#redriveOf(id)
    const lost = eventsKeptMs === undefined ? [] : new Date(this.#nowMs() - eventsKeptMs).toISOString()
    const [eventsSince = null] = [redrive.eventsSince ?? [], lost].flat().sort()
    const dueAtMs = this.#nowMs() + settleMs
    this.#redrives.set(id, { ...redrive, position: null, upTo: head, eventsSince, round: redrive.round + 1, dueAtMs })
  }

  #write(batch: Commit): void {
    for (const { id, turns, cursor, published, armed } of batch.partitions) {
      for (const row of this.#rows([id])) {
        row.head += turns
        row.cursor = cursor
        row.published = Math.max(row.published, published)
        row.armed += armed
      }
    }
    for (const turn of batch.turns) {
      this.#journals.get(turn.partition)?.push(turn)
      this.#turns.set(turnKey(turn), turn)
    }
    for (const state of batch.states) this.#actors.set(keyOf(state), state)
    for (const address of batch.disarmed) delete this.#actors.get(keyOf(address))?.wake
    for (const letter of batch.deadLetters) this.#keep(letter)
  }

  #keep(letter: DeadLetter): void {
    const attempts = (this.#letters.get(letterKey(letter))?.attempts ?? 0) + 1
    this.#settledLetters.delete(letterKey(letter))
    this.#letters.set(letterKey(letter), { ...letter, attempts })
  }

  /** The turn's own reply or, when it is a request without one, the reply that a later turn of the actor gave to it. */
  #replyTo(turn: TurnRecord) {
    const { partition, position, kind, actorId, messageId, meta, decision } = turn
    if (decision.reply || meta.requestId !== messageId) return decision.reply
    const later = this.#behind(partition, position)
    const answer = later.find((other) => {
      return (
        other.kind === kind && other.actorId === actorId && other.meta.requestId === messageId && other.decision.reply
      )
    })
    return answer?.decision.reply
  }

  #noteProgress(partitions: Progress[]): PartitionRow[] {
    return partitions.flatMap(({ id, epoch, published }) => {
      const row = this.#partitions.get(id)
      if (row?.epoch !== epoch) return []
      row.published = Math.max(row.published, published)
      return row
    })
  }

  #rows(ids: number[]): PartitionRow[] {
    return ids.flatMap((id) => this.#partitions.get(id) ?? [])
  }

  #isAlive(worker: string | null): boolean {
    const lease = worker === null ? undefined : this.#workers.get(worker)
    return lease !== undefined && lease.leaseUntilMs >= this.#nowMs()
  }
}

const keyOf = ({ partition, kind, id }: Located): string => `${partition}/${kind}/${id}`
const turnKey = ({ partition, kind, actorId, messageId }: TurnRecord): string => {
  return `${keyOf({ partition, kind, id: actorId })}/${messageId}`
}
const pauseKey = ({ target, name }: Pause): string => `${target} ${name}`
const letterKey = ({
  partition,
  messageId,
  kind,
  actorId,
}: Pick<DeadLetter, 'partition' | 'messageId' | 'kind' | 'actorId'>): string => {
  return `${partition}/${messageId}/${kind} ${actorId}`
}
const eventsOf = ({ message: _, meta: __, decision, ...turn }: TurnRecord): TurnEvents => {
  return copy({ ...turn, events: decision.events ?? [], publishes: decision.publishes ?? [] })
}
const failureKey = ({ effectId, ...actor }: Located & { effectId: string }): string => `${keyOf(actor)}/${effectId}`
const countBy = <T>(items: T[], nameOf: (item: T) => string): [string, number][] => {
  const counts = new Map<string, number>()
  for (const item of items) counts.set(nameOf(item), (counts.get(nameOf(item)) ?? 0) + 1)
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1))
}
const copy = <T>(value: T): T => JSON.parse(json(value))
