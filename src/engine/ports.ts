import type { Kind, Service } from '../../schemas/index.ts'
import type { Reply, Tagged } from '../actor/actor.ts'

/**
 * The engine's narrow view of the world. The real implementations are in `broker/` and `store/`; each port also has one in
 * memory beside the real one, which passes the same contract suite.
 */

// ── Messages ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** What travels beside a message, from its first sender to the last consequence. */
export type Meta = {
  /** Names the whole story: the same in every message, log line and call that follows from one request. */
  correlationId: string
  /** The id of the message whose turn sent this one. */
  causationId?: string
  /** W3C trace context: of what caused the message. In the journal a turn that is followed has its own here. */
  traceparent?: string
  /**
   * Who asked for what began the story, where that is known: `key:boxoffice-1`, `jwt:<issuer>#<subject>`. The ingress says so;
   * of who publishes on NATS itself, the account's permissions are all that speaks for it.
   */
  askedBy?: string
  /** In the journal, of a turn that is followed: the context that its message came with, if it came with one. */
  parent?: string
  /** Where the answer goes: a NATS subject. Handed on along the chain. */
  replyTo?: string
  /** The id of the message that first carried `replyTo`: the request that the answer will belong to. */
  requestId?: string
  /** A digest of the HTTP request, so that a key that comes back with another body is found out. */
  fingerprint?: string
}

export type Address = { kind: string; id: string }

/** A message as the mailbox hands it over: not yet parsed, because what does not parse must become a dead letter. */
export type Delivery = {
  partition: number
  /** Of the mailbox stream; strictly rising within a partition. 0 for what came past it. */
  sequence: number
  to: Address
  type: string
  /** A UUID: the publisher's, or one made from whatever the publisher gave, or from the place in the stream. */
  messageId: string
  meta: Meta
  /** As published, for dead letters. */
  headers: Record<string, string>
  payload: Uint8Array
  /** Of what came past the broker: nobody has encoded it, and the payload is empty. */
  command?: Tagged
  /** When the broker stored it, or who handed it over got it, milliseconds since 1970. */
  at: number
  /** Of what came past the broker: nobody here decides it any more. */
  giveBack?(): void
  /** Of what came past the broker: it has had its turn, or is set aside, and that is committed. */
  committed?(): void
}

// ── Broker ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The mailboxes of all actors of one partition, read in strict order. One reader; a later epoch ends it. */
export interface Mailbox {
  /** The stream as it was when the reading began. When it `isOver` for the cursor, close it. */
  readonly stream: StreamState
  /** How many deliveries can be taken now. */
  readonly waiting: number
  /** How many messages lie behind the last delivered one, in the broker: the partition's lag, as of that delivery. */
  readonly lag: number
  /** When the broker stored the oldest delivery that can be taken, milliseconds since 1970. */
  readonly oldestAt: number | undefined
  /** Takes up to `max` deliveries, oldest first. Prefetches on its own, within a bound. */
  take(max: number): Delivery[]
  /** Everything up to here is committed. May be told late and lazily: the cursor in the store is the truth. */
  acknowledge(sequence: number): void
  /** Forgets what was prefetched and ends the reading. Idempotent, never rejects. */
  close(): Promise<void>
}

/**
 * Names the stream's life, and tells how far it has come. A cursor of another life, or from beyond the end (the broker has
 * lost what it had stored), means nothing.
 */
export type StreamState = { id: string; lastSequence: number }

/** What the broker stores for us. */
export type StreamName = 'mailbox' | 'effects' | 'events'
export type StreamStates = Record<StreamName, StreamState>

export interface MailboxEvents {
  /** There is something to take. */
  ready(): void
  /** The reading broke (the consumer was deleted, a gap, a redelivery, silence): open again, from the cursor. Once. */
  lost(cause: Error): void
}

export interface Mailboxes {
  /** How the streams stand. Those that are missing are made. */
  streams(): Promise<StreamStates>
  /** Reads the partition from behind `cursor`. Readers of the same partition with an earlier epoch are shut out. */
  open(partition: number, epoch: number, cursor: number, events: MailboxEvents): Promise<Mailbox>
  /** The sequence of the first message of the partition that lies behind `cursor`. None when there is none. */
  firstBehind(partition: number, cursor: number): Promise<number | undefined>
  /** Removes all that lies before this sequence, of whatever partition, from the broker's disk; but never the last message. */
  purge(sequence: number): Promise<void>
  /** Tells all workers that there are partitions to take. Who does not hear it finds out by itself. */
  offer(): void
  /** Hears of offers, this worker's own among them. @returns what ends it */
  onOffer(listener: () => void): () => void
}

/** Everything that leaves the engine. `messageId` is deterministic, so that publishing twice is harmless. */
export type Outgoing = OutgoingCommand | OutgoingEvent | OutgoingEffect | Requeued

/**
 * Of what was published before. Whoever reads it sees the id that it always had; for the broker, which would swallow it as
 * a duplicate for two minutes, each round is a message of its own. An effect says of itself that it may repeat what was done.
 */
type Round = number | string

/**
 * A dead letter on its way back to where it came from, byte for byte: to the service's queue if there is a service, else
 * to the actor's mailbox.
 */
export type Requeued = {
  to: 'origin'
  address: Address
  service?: Service
  type: string
  payload: Uint8Array
  messageId: string
  round: Round
  meta: Meta
}

export type OutgoingCommand = {
  to: 'mailbox'
  address: Address
  messageId: string
  command: Tagged
  meta: Meta
  /** It has a key, and yet is known to be no repeat. */
  isFirst?: boolean
  round?: Round
}

export type OutgoingEvent = {
  to: 'events'
  address: Address
  messageId: string
  event: Tagged
  at: string
  meta: Meta
  round?: Round
}

export type OutgoingEffect = {
  to: 'effects'
  address: Address
  messageId: string
  service: Service
  request: Tagged
  /** When the message of its turn was accepted. */
  at: string
  meta: Meta
  /** Told before, perhaps, and perhaps carried out since: whoever carries it out is told so. */
  mayBeRepeat?: boolean
  /** Its first attempt failed before it came into the queue: the next one comes then, milliseconds since 1970. */
  nextAttemptMs?: number
  round?: Round
}

export interface Publisher {
  /**
   * Resolves once the broker has stored them all. Tries for as long as it is open, through outages and full mailboxes;
   * rejects only when it is closed meanwhile.
   */
  publish(messages: Outgoing[]): Promise<void>
  /** The answer to a request. At most once: who asked can look it up by the request's id. */
  reply(subject: string, answer: Answer): void
  /** Announces a dead letter. At most once: the letter itself is in the store. */
  announce(letter: DeadLetter): void
}

/** What the ingress needs of the broker: one command out, its answer back. */
export interface Requests {
  /** The subject for `Meta.replyTo` of this process's requests. */
  readonly replyTo: string
  readonly isConnected: boolean
  /**
   * Stores one command in its mailbox; `duplicate` when the broker has seen this message id lately.
   * Rejects at once with `broker-unavailable` while disconnected, with `mailbox-full` when it is refused, and with
   * `broker-timeout` when the broker does not answer in time: then it may have been stored, or not.
   */
  send(command: OutgoingCommand, timeoutMs: number): Promise<{ duplicate: boolean }>
  /** Called with every answer that comes to `replyTo`. */
  onAnswer(handler: (answer: Answer) => void): void
}

/** One request to an external service, out of the work queue of that service, which all processes share. */
export type EffectDelivery = {
  service: Service
  /** The effect's own id: the idempotency key of every attempt. */
  messageId: string
  /** Who asked, and gets the outcome. */
  actor: Address
  type: string
  /** What is asked, of what did not come by the queue: checked when it was decided. */
  request?: Tagged
  payload: Uint8Array
  headers: Record<string, string>
  meta: Meta
  /** 1 for the first. Deliveries after a crash count too. */
  attempt: number
  /**
   * It comes from the dead letters, was told again, or came so long after its turn that the broker may have forgotten that it
   * had it before: even the first attempt may repeat what was done.
   */
  mayBeRepeat: boolean
  /** The outcome is safe: takes it off the queue. */
  done(): Promise<void>
  /** Comes back after so many milliseconds. */
  retry(delayMs: number): void
  /** Still at it: the broker should not hand it to another process yet. */
  working(): void
}

export interface EffectQueue {
  /** Hands over at most `concurrency` effects of the service at a time. A handler that rejects is retried later. */
  consume(
    service: Service,
    concurrency: number,
    handle: (effect: EffectDelivery) => Promise<void>,
  ): Promise<EffectConsumer>
  /** How many effects of the service are not done, in the queue and in all hands. Rejects while the broker is away. */
  waiting(service: Service): Promise<number>
}

/**
 * Resolves once a command is safe: committed, or stored in its mailbox. Tries for as long as the process is up.
 *
 * @param mayBeRepeat it may have been delivered before
 */
export type Deliver = (command: OutgoingCommand, mayBeRepeat: boolean) => Promise<void>

/** Those who carry out the effects of one service in this process, also without the queue. */
export type Hands = {
  /** Whether they can take an effect of this type now. */
  areFree(type: string): boolean
  /** Rejects when it could not even be said what became of it. */
  carryOut(effect: EffectDelivery): Promise<void>
}

export interface EffectConsumer {
  /** Another `concurrency` from now on; 0 takes nothing more. What was asked for before may still come. */
  limit(concurrency: number): void
  close(): Promise<void>
}

/** A reply on its way to whoever asked, with what is needed to match it to the request. */
export type Answer = { requestId: string; reply: Reply; fingerprint?: string }

// ── Store ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A stream as it stood when somebody looked: since then its identity stays, and its last sequence only rises. */
export type StreamMark = StreamState & { name: StreamName /** How often it has lost something. */; losses: number }

/** A partition as the store has it. */
export type PartitionRow = {
  id: number
  /** Rises with every change of owner: the fence. */
  epoch: number
  owner: string | null
  /** The last sequence of the mailbox stream whose turn is committed. */
  cursor: number
  /** The stream that the cursor points into. */
  stream: string
  /** Position of the last turn in this partition's journal: 1, 2, 3 … without a gap. */
  head: number
  /** The turns up to here have had their sends, calls and events stored by the broker. */
  published: number
  /** How many of its actors have an alarm set. */
  armed: number
}

/** What operators can hold back. An actor is named `<kind>.<id>`. */
export type Pause = { target: 'actor' | 'kind' | 'service'; name: string }

/** What every worker needs to know to take its fair share, and to leave alone what is paused. */
export type Cluster = {
  /** Ids of the live workers, sorted; the asking one is among them. */
  workers: string[]
  partitions: { id: number; epoch: number; owner: string | null; ownerIsAlive: boolean }[]
  pauses: Pause[]
}

export type StoredActor = Address & { partition: number; version: number; state: unknown; wake?: Wake }

/** An alarm as it is stored beside the state: when it goes off, and whose story that will go on with. */
export type Wake = { /** RFC 3339 in UTC. */ at: string } & Pick<Meta, 'correlationId' | 'traceparent'>

/** An alarm that has gone off. */
export type DueAlarm = Address & Wake & { partition: number /** By the store's clock, since 1970. */; nowMs: number }

/** A turn as it is journaled. What joined the same commit as a turn of its own is named in `sends` and no more: its turn has it. */
export type TurnRecord = {
  partition: number
  position: number
  kind: string
  actorId: string
  /** The actor's how-many-eth turn: 1, 2, 3 … */
  version: number
  messageId: string
  /** RFC 3339 in UTC: when the message was accepted. */
  at: string
  message: Tagged
  meta: Meta
  decision: RecordedDecision
}

export type RecordedDecision = {
  outcome: 'accepted' | 'refused' | 'ignored'
  because?: string
  events?: Tagged[]
  sends?: RecordedSend[]
  calls?: { messageId: string; call: Service; request: Tagged }[]
  /** Ids of the events that go out publicly, by their index in `events`. */
  publishes?: { messageId: string; index: number }[]
  reply?: Reply
}

export type RecordedSend =
  | { messageId: string; send: Kind; id: string; command: Tagged }
  /** Where to is missing in what was journaled up to 0.1.0. */
  | { joined: string; send?: Kind; id?: string }

/**
 * A message that could not be handled, an effect out of attempts, or a message to a paused actor, kept until somebody
 * decides about it.
 */
export type DeadLetter = {
  partition: number
  kind: string
  actorId: string
  type: string
  messageId: string
  /** A code of the error catalogue. */
  code: string
  cause: string
  stack?: string
  payload: Uint8Array
  headers: Record<string, string>
  meta: Meta
  at: string
}

export type CommitPosition = {
  id: number
  epoch: number
  head: number
  turns: number
  from: number
  cursor: number
  published: number
  /** By how many more actors have an alarm set afterwards. */
  armed: number
}

/** A batch of turns, as one statement writes it: all of it or nothing. */
export type Commit = {
  /** `head` and `from` are where journal and cursor must stand now; the commit moves them on by `turns`, and to `cursor`. */
  partitions: CommitPosition[]
  turns: TurnRecord[]
  states: StoredActor[]
  deadLetters: DeadLetter[]
  /** Actors without a turn in it whose alarm is taken off, because they cannot deal with it. */
  disarmed: (Address & { partition: number })[]
  /** By which some of the dead letters are set aside: none of them can end while the commit is under way. */
  pauses: Pause[]
}

export type CommitResult =
  | { outcome: 'committed' }
  /** These partitions have another owner, head or cursor; nothing was written, for any partition. */
  | { outcome: 'fenced'; partitions: number[] }
  /** These pauses have ended; nothing was written. */
  | { outcome: 'resumed'; pauses: Pause[] }
  /** One of the message ids has a turn already; nothing was written. */
  | { outcome: 'duplicate' }
  /** Postgres refuses the data itself, and will again; nothing was written. */
  | { outcome: 'rejected'; error: Error }
  /** The connection broke or a deadline passed: it may have been written, or may yet be. */
  | { outcome: 'unknown'; error: Error }

/** A turn looked up by its message: what a repeated message is answered with. */
export type KnownTurn = { kind: string; actorId: string; messageId: string; fingerprint?: string; reply?: Reply }

/** A call of an external service that failed, and is tried again. `id` and `kind` are who asked for it. */
export type EffectFailure = Address & {
  partition: number
  effectId: string
  service: Service
  request: Tagged
  /** How many there were. */
  attempts: number
  cause: string
}

/** What an actor waits for in vain: a call that is tried again, or one that was given up on and is an open dead letter. */
export type FailingCall = {
  service: Service
  request: Tagged
  attempts: number
  cause: string
  /** Of the last failure, RFC 3339 in UTC. */
  at: string
  isDeadLetter: boolean
}

/** Every method but `commit` rejects when the database cannot be reached within its deadline; the caller tries again. */
export interface Store {
  /** Renews the worker's lease, and with it its hold on its partitions, by the database's clock; tells how things stand. */
  heartbeat(worker: string, leaseMs: number, lag: number): Promise<Cluster>
  /**
   * Takes those of the partitions that nobody else alive owns, and raises their epochs. Cursors that mean nothing in the
   * stream become 0.
   * Taking one's own again is the way back from a commit of unknown outcome: the row tells what became of it, and whatever
   * may still be under way is fenced.
   */
  claim(worker: string, partitions: number[], stream: StreamState): Promise<PartitionRow[]>
  /** What is known of the broker's streams; of one that nobody has noted yet, nothing. */
  readStreams(): Promise<StreamMark[]>
  /** Notes how far the stream is, unless it has been lost since it was `seen`. */
  noteStream(name: StreamName, now: StreamState, seen: StreamMark | undefined): Promise<void>
  /**
   * Notes that the stream has lost what it stored, and orders a redrive of every partition up to its head. When it is the
   * mailbox, every partition is free afterwards, and is to be read from the stream's beginning.
   *
   * @param eventsKeptMs the public events of so long ago are to be published again
   * @returns false when somebody has noted it before; then nothing is written
   */
  noteLoss(seen: StreamMark, now: StreamState, eventsKeptMs: number | undefined): Promise<boolean>
  /** Gives partitions up for others to take at once. Those with another epoch by now are left alone. */
  release(partitions: { id: number; epoch: number; published: number }[]): Promise<void>
  /** Ends the worker's membership. */
  leave(worker: string): Promise<void>
  /** Notes how far the outbox is without a commit, for quiet times. Those with another epoch by now are left alone. */
  saveProgress(partitions: { id: number; epoch: number; published: number }[]): Promise<void>
  /** The current rows of these partitions. */
  readPartitions(ids: number[]): Promise<PartitionRow[]>
  /** The actors of these partitions whose alarm has gone off by the store's clock, those that wait longest first. */
  dueAlarms(partitions: number[], limit: number): Promise<DueAlarm[]>
  /** The greatest id of each kind in each of these partitions: no actor lies beyond it. A kind without actors has none. */
  lastIds(partitions: number[], kinds: string[]): Promise<(Address & { partition: number })[]>
  /** The actors that exist among these. */
  load(addresses: (Address & { partition: number })[]): Promise<StoredActor[]>
  /**
   * What reaches the store comes back in the order of the calls. Several may be under way: each demands the head and the
   * cursor that the one before makes.
   */
  commit(commit: Commit): Promise<CommitResult>
  /** The turns that these messages have had. The reply is that of the request's end, if it has come. */
  findTurns(keys: (Address & { partition: number; messageId: string })[]): Promise<KnownTurn[]>
  /**
   * Keeps the dead letter of an effect; those of messages come with their commit. There is one for each message: when it
   * comes again it is open again, with one attempt more.
   */
  keepDeadLetter(letter: DeadLetter): Promise<void>
  /** What is paused now, for those who have no heartbeat. */
  readPauses(): Promise<Pause[]>
  /** Notes the last failure of an effect. */
  noteFailure(failure: EffectFailure): Promise<void>
  /** The effect fails no more: forgets what was noted of it, if anything. */
  forgetFailure(failure: Address & { partition: number; effectId: string }): Promise<void>
  /** A stretch of the journal: positions from `after + 1` on, at most `limit`. */
  readJournal(partition: number, after: number, limit: number): Promise<TurnRecord[]>
}

/** Who holds a request's id. When the claim is new, nothing was sent for that request before. */
export type Claim = { digest: string; isNew: boolean }

/** What the ingress needs of the store. Rejects like it. */
export interface Reads {
  actor(address: Address & { partition: number }): Promise<StoredActor | undefined>
  findTurns: Store['findTurns']
  /** What fails of what this actor asked for, oldest first. */
  failingCalls(address: Address & { partition: number }): Promise<FailingCall[]>
  /**
   * Claims a request's id for the request of this digest, unless it is claimed already.
   *
   * @returns the digest that holds the id, for TURNSTILE_REPEAT_DAYS at least: another one than the given is another request's
   */
  claimKey(id: string, digest: string): Promise<Claim>
  /** The live workers, and what waits in their mailboxes by their last heartbeats. Asking is also the ping of the database. */
  health(): Promise<{ lag: number; workers: number }>
  /** What waits for somebody, in all processes together. */
  census(): Promise<Census>
}

/** Counted over the whole record. */
export type Census = {
  /** Workers whose lease has not run out. */
  workers: number
  /** Partitions without a live owner: nobody reads their mailboxes. */
  unowned: number
  openLetters: { code: string; count: number }[]
  /** Calls that have failed and are tried again. */
  failingCalls: { service: string; count: number }[]
}

/** A turn as those who listen get it: what happened in it, if anything did. */
export type TurnEvents = Omit<TurnRecord, 'message' | 'meta' | 'decision'> & {
  events: Tagged[]
  /** Ids of the events that are public, by their index in `events`. */
  publishes: { messageId: string; index: number }[]
}

/** What the ingress needs of the journal for those who listen. Rejects like the store. */
export interface Feed {
  /** The position of the last turn in each partition's journal, by the partition. */
  heads(): Promise<number[]>
  /** Of each partition the turns after that position, in their order; at most `limit` of each. */
  turnsAfter(seen: { partition: number; after: number }[], limit: number): Promise<TurnEvents[]>
  /** Of each actor the turns after that version, in their order; at most `limit` of each. */
  turnsOf(seen: (Address & { partition: number; after: number })[], limit: number): Promise<TurnEvents[]>
  /** By the partition, the position of the last turn that has left its journal for the archive; 0 when none has. */
  archivedUpTo(): Promise<number[]>
  /** How many of the actor's turns have left the journal for the archive: so many, its first ones. */
  archivedOf(address: Address & { partition: number }): Promise<number>
}

// ── Clock ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

export interface Clock {
  /** Milliseconds that only ever rise; for intervals, never for the record. */
  monotonicMs(): number
  /** Resolves after so many milliseconds, or at once when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

// ── What is worth knowing ─────────────────────────────────────────────────────────────────────────────────────────────

/** Structured log lines; pino fits. */
export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** How one partition's mailbox stands. */
export type MailboxStanding = {
  partition: number
  /** Messages that wait for their turn, here and in the broker. */
  lag: number
  /** When the oldest of them was accepted, milliseconds since 1970, as far as it has come here. */
  oldestAt: number | undefined
  /** Whether it can be read at present. */
  isOpen: boolean
}

/** Told of what the metrics count. */
export interface Observer {
  /** It is on record. `messages` came out of mailboxes for it. */
  committed(commit: Commit, messages: number, durationMs: number): void
  /** One call of an external service, and what came of it. */
  called(service: string, outcome: 'done' | 'refused' | 'temporary', durationMs: number): void
  /** Whether the calls of a service wait because it has failed too often. */
  circuit(service: string, isOpen: boolean): void
  duplicates(count: number): void
  fenced(partitions: number): void
  deadLetter(kind: string, code: string): void
  /** Alarms that had their turn. */
  alarmsFired(count: number): void
  /** How many are set at the actors of this process. */
  alarmsArmed(count: number): void
  /** How many that have gone off wait for more than a second, and how long the first of them does. */
  alarmsDue(overdue: number, oldestMs: number): void
  /** A stream of the broker's is found to have lost what it had stored. */
  streamLost(name: StreamName): void
  /** What was lost with it, and is published again. */
  redriven(what: 'sends' | 'calls' | 'events', count: number): void
  /** The mailboxes of all partitions that this worker owns, several times a lease. */
  mailboxes(standings: MailboxStanding[]): void
  /** Partitions that were taken: that nobody owned, and whose owner's lease had run out. */
  took(free: number, expired: number): void
  /** Messages that are committed and that the broker has not stored yet, and how long the first of them waits. */
  untold(messages: number, oldestMs: number): void
  /** How many of these are paused, as far as this process has heard. */
  paused(target: Pause['target'], count: number): void
}
