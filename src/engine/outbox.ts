import type { Reply } from '../actor/actor.ts'
import { crashPoint } from '../crash-points.ts'
import type { AtOnce } from './at-once.ts'
import { metaOfConsequence } from './batch.ts'
import type { OwnedPartition } from './partition.ts'
import type { Answer, Clock, Delivery, Outgoing, Publisher, Store, TurnRecord } from './ports.ts'
import type { Signal } from './signal.ts'
import type { Tracer } from './trace-ports.ts'

type OutboxStore = Pick<Store, 'readJournal' | 'findTurns'>
type OutboxPorts = {
  publisher: Publisher
  atOnce: Pick<AtOnce, 'take'>
  store: OutboxStore
  clock: Clock
  tracer: Pick<Tracer, 'turnsAgain'>
}

/** How many turns are read at a time when a new owner tells what the one before may not have told. */
const journalPage = 500
const retryMs = 500

/**
 * Tells the world what is committed: replies, sends, calls and public events. What is told is remembered as each
 * partition's `published`, which the next commit saves; whoever takes the partition over tells what lies past it again.
 * The receivers' dedupe makes that harmless, and an effect says of itself that it may have been carried out.
 */
export class Outbox {
  /** Oldest first. `published` moves only when everything before has been stored too. */
  readonly #entries: { upTo: [OwnedPartition, number][]; sinceMs: number; isDone: boolean }[] = []
  readonly #publisher: Publisher
  readonly #atOnce: Pick<AtOnce, 'take'>
  readonly #store: OutboxStore
  readonly #clock: Clock
  readonly #tracer: Pick<Tracer, 'turnsAgain'>
  readonly #progress: Signal
  #pendingMessages = 0

  /** @param progress notified when something has been stored by the broker */
  constructor({ publisher, atOnce, store, clock, tracer }: OutboxPorts, progress: Signal) {
    this.#publisher = publisher
    this.#atOnce = atOnce
    this.#store = store
    this.#clock = clock
    this.#tracer = tracer
    this.#progress = progress
  }

  /** Messages that the broker has not stored yet. */
  get pendingMessages(): number {
    return this.#pendingMessages
  }

  /** How long the first of the turns that are not told yet has waited for that. */
  get oldestMs(): number {
    const [first] = this.#entries
    return first ? this.#clock.monotonicMs() - first.sinceMs : 0
  }

  isDoneFor(partition: OwnedPartition): boolean {
    return !this.#entries.some(({ upTo }) => upTo.some(([which]) => which === partition))
  }

  /** @param upTo the journal position of each partition that these turns lead to */
  tell(turns: TurnRecord[], upTo: [OwnedPartition, number][]): void {
    this.#track(upTo, this.#send(turns))
  }

  /** Tells a partition's turns after `published` again, out of the journal. Ends early when the partition is lost. */
  tellAgain(partition: OwnedPartition): void {
    const { head } = partition.committed
    if (partition.published < head) this.#track([[partition, head]], this.#sendFromJournal(partition, head))
  }

  /**
   * Gives repeated messages the answers that they had. One that has none yet gets none: whoever asked is going to get it
   * on the first question.
   */
  async answerAgain(repeats: Omit<Delivery, 'sequence'>[]): Promise<void> {
    const askers = repeats.filter(({ meta }) => meta.replyTo)
    if (askers.length === 0) return
    try {
      const keys = askers.map(({ to, partition, messageId }) => ({ ...to, partition, messageId }))
      const turns = new Map((await this.#store.findTurns(keys)).map((turn) => [turn.messageId, turn]))
      for (const { messageId, meta } of askers) {
        const { reply, fingerprint } = turns.get(messageId) ?? {}
        if (!meta.replyTo || !reply) continue
        this.#publisher.reply(meta.replyTo, answer(meta.requestId ?? messageId, reply, fingerprint))
      }
    } catch {
      // The database is away, which the lease keeper reports. The ingress looks answers up by itself.
    }
  }

  async #sendFromJournal(partition: OwnedPartition, head: number): Promise<void> {
    let position = partition.published
    while (position < head && !partition.isClosed) {
      try {
        const turns = await this.#store.readJournal(partition.id, position, Math.min(journalPage, head - position))
        this.#tracer.turnsAgain(turns)
        await this.#send(turns, true)
        position = turns.at(-1)?.position ?? head
      } catch {
        // The database is away, which the lease keeper reports; or the publisher is closed, and with it the partition.
        await this.#clock.sleep(retryMs)
      }
    }
  }

  async #send(turns: TurnRecord[], mayBeRepeat = false): Promise<void> {
    const messages: Outgoing[] = []
    const underWay: Promise<void>[] = []
    for (const turn of turns) {
      this.#reply(turn)
      for (const message of outgoingOf(turn, mayBeRepeat)) {
        const taken = message.to === 'effects' ? this.#atOnce.take(message) : undefined
        if (taken) underWay.push(taken)
        else messages.push(message)
      }
    }
    await Promise.all([...underWay, this.#publish(messages)])
  }

  async #publish(messages: Outgoing[]): Promise<void> {
    if (messages.length === 0) return
    this.#pendingMessages += messages.length
    try {
      await this.#publisher.publish(messages)
      crashPoint('after-tell')
    } finally {
      this.#pendingMessages -= messages.length
    }
  }

  #reply({ meta, messageId, decision }: TurnRecord): void {
    if (!meta.replyTo || !decision.reply) return
    this.#publisher.reply(meta.replyTo, answer(meta.requestId ?? messageId, decision.reply, meta.fingerprint))
  }

  #track(upTo: [OwnedPartition, number][], sending: Promise<void>): void {
    const entry = { upTo, sinceMs: this.#clock.monotonicMs(), isDone: false }
    this.#entries.push(entry)
    const finish = (): void => {
      entry.isDone = true
      this.#advance()
      this.#progress.notify()
    }
    // It fails only when the publisher is closed: nothing more is told then, and what is left is the next owner's.
    sending.then(finish, () => undefined)
  }

  #advance(): void {
    for (let first = this.#entries[0]; first?.isDone; first = this.#entries[0]) {
      for (const [partition, position] of first.upTo) partition.published = Math.max(partition.published, position)
      this.#entries.shift()
    }
  }
}

function answer(requestId: string, reply: Reply, fingerprint: string | undefined): Answer {
  return fingerprint === undefined ? { requestId, reply } : { requestId, reply, fingerprint }
}

/** What a turn tells others, with ids that are the same however often it is told. */
export function outgoingOf(turn: TurnRecord, mayBeRepeat: boolean): Outgoing[] {
  const { kind, actorId: id, at, decision } = turn
  const address = { kind, id }
  const meta = metaOfConsequence(turn.meta, turn.messageId, decision.reply !== undefined)
  const messages: Outgoing[] = []
  for (const { messageId, index } of decision.publishes ?? []) {
    const event = decision.events?.[index]
    if (event) messages.push({ to: 'events', address, messageId, event, at, meta })
  }
  for (const send of decision.sends ?? []) {
    if ('joined' in send) continue
    const target = { kind: send.send, id: send.id }
    messages.push({ to: 'mailbox', address: target, messageId: send.messageId, command: send.command, meta })
  }
  for (const { messageId, call, request } of decision.calls ?? []) {
    messages.push({
      to: 'effects',
      address,
      messageId,
      service: call,
      request,
      at,
      meta,
      ...(mayBeRepeat && { mayBeRepeat }),
    })
  }
  return messages
}
