import type { Broker } from '../../src/broker/broker.ts'
import { MemoryBroker } from '../../src/broker/memory.ts'
import type { Stored } from '../../src/broker/wire.ts'
import type {
  EffectDelivery,
  EffectQueue,
  Mailbox,
  MailboxEvents,
  Mailboxes,
  Outgoing,
  Publisher,
  Requests,
  StreamName,
} from '../../src/engine/ports.ts'
import { hasCode, TurnstileError } from '../../src/errors.ts'
import { type Faults, longestDelayMs } from './faults.ts'
import type { Host } from './host.ts'

export type MessagingOptions = {
  partitions: number
  duplicateWindowMs: number
  ackWaitMs: number
}

type Reading = { host: Host; partition: number; mailbox: Mailbox; events: MailboxEvents; isOver: boolean }

const retryMs = 100
const patienceMs = 1_000
const unavailable = (): Error => new TurnstileError('broker-unavailable', 'the broker does not answer')

/** The broker as processes see it: far away, at times not there, and forgetful of what it was told. */
export class Messaging {
  readonly memory: MemoryBroker
  isDown = false
  /** Effects that two processes carried out at the same time, because one of them had lost hold of it. */
  readonly overlapping = new Set<string>()
  /** How many are at it, by effect. */
  readonly #attempts = new Map<string, number>()
  readonly #faults: Faults
  #readings: Reading[] = []

  constructor({ partitions, duplicateWindowMs, ackWaitMs }: MessagingOptions, faults: Faults) {
    const { time } = faults
    this.#faults = faults
    this.memory = new MemoryBroker({ prefix: 'sim', partitions, nowMs: () => time.nowMs, schedule: time.plan })
    const { streams, effects } = this.memory
    for (const stream of Object.values(streams)) stream.duplicateWindowMs = duplicateWindowMs
    effects.ackWaitMs = ackWaitMs
  }

  connect(host: Host): Broker {
    const near = this.memory.connect()
    host.whenDead(() => void near.close())
    return {
      mailboxes: this.#mailboxes(host, near.mailboxes),
      publisher: this.#publisher(host, near.publisher),
      requests: this.#requests(host, near.requests),
      effects: this.#effects(host, near.effects),
      get isConnected() {
        return near.isConnected
      },
      close: near.close,
    }
  }

  /** For a while nobody reaches it, and all that was being read must be read anew. */
  goDown(forMs: number): void {
    this.isDown = true
    for (const reading of this.#readings) this.#breakOff(reading)
    this.#faults.time.plan(forMs, () => {
      this.isDown = false
    })
  }

  breakSomeReading(): void {
    this.#readings = this.#readings.filter(({ isOver, host }) => !isOver && !host.isDead)
    if (this.#readings.length === 0) return
    const reading = this.#faults.random.pick(this.#readings)
    this.#faults.see(reading.host.name, 'reading of a mailbox broken')
    this.#breakOff(reading)
  }

  /** Loses a stream. @returns what was in it */
  wipe(name: StreamName): Stored[] {
    const stream = this.memory.streams[name]
    const lost = stream.messages
    stream.wipe()
    if (name === 'mailbox') for (const reading of this.#readings) this.#breakOff(reading)
    return lost
  }

  #breakOff(reading: Reading): void {
    if (reading.isOver) return
    reading.isOver = true
    void reading.mailbox.close()
    const { time } = this.#faults
    time.plan(this.#faults.delayMs(), () => reading.host.run(() => reading.events.lost(unavailable())))
  }

  #exchange<T>(host: Host, what: string, perform: () => T | Promise<T>): Promise<T> {
    const isReachable = (): boolean => !this.isDown
    return this.#faults.exchange({ host, what, perform, isReachable, failure: unavailable, patienceMs })
  }

  #mailboxes(host: Host, mailboxes: Mailboxes): Mailboxes {
    const open = async (partition: number, epoch: number, cursor: number, events: MailboxEvents): Promise<Mailbox> => {
      const { time } = this.#faults
      const heard: MailboxEvents = {
        ready: () => time.plan(this.#faults.delayMs(), () => host.run(() => events.ready())),
        lost: (cause) => time.plan(this.#faults.delayMs(), () => host.run(() => events.lost(cause))),
      }
      const mailbox = await mailboxes.open(partition, epoch, cursor, heard)
      this.#readings.push({ host, partition, mailbox, events, isOver: false })
      return mailbox
    }
    return {
      streams: () => this.#exchange(host, 'states of the streams', () => mailboxes.streams()),
      open: (partition, epoch, cursor, events) =>
        this.#exchange(host, `reads ${partition}/${epoch} from behind ${cursor}`, () =>
          open(partition, epoch, cursor, events),
        ),
      firstBehind: (partition, cursor) =>
        this.#exchange(host, `looks behind ${cursor} in ${partition}`, () => mailboxes.firstBehind(partition, cursor)),
      purge: (sequence) => this.#exchange(host, `purges up to ${sequence}`, () => mailboxes.purge(sequence)),
      offer: () => this.#faults.send(host, 'offers partitions', () => mailboxes.offer()),
      onOffer: (listener) =>
        mailboxes.onOffer(() => this.#faults.time.plan(this.#faults.delayMs(), () => host.run(listener))),
    }
  }

  #publisher(host: Host, publisher: Publisher): Publisher {
    return {
      publish: async (messages) => {
        await Promise.all(this.#inParts(messages).map((part) => this.#publish(host, publisher, part)))
      },
      reply: (subject, answer) =>
        this.#faults.send(host, `answers ${answer.requestId.slice(-4)}`, () => {
          if (!this.isDown) publisher.reply(subject, answer)
        }),
      announce: (letter) => this.#faults.send(host, 'announces', () => publisher.announce(letter)),
    }
  }

  /** What is published together arrives in parts, in any order, and a crash can come between. */
  #inParts(messages: Outgoing[]): Outgoing[][] {
    const parts: Outgoing[][] = [[]]
    for (const message of messages) {
      if (this.#faults.random.chance(0.2)) parts.push([])
      parts.at(-1)?.push(message)
    }
    return parts.filter((part) => part.length > 0)
  }

  /** Until it is stored. What was stored, but its answer lost, is published again. */
  async #publish(host: Host, publisher: Publisher, messages: Outgoing[]): Promise<void> {
    const what = `publishes ${messages.map(nameOf).join(', ')}`
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#exchange(host, what, () => {
          if (attempt === 1) return publisher.publish(messages)
          this.#faults.sightings.note('message published twice')
          return publisher.publish(messages.map(again))
        })
        return
      } catch (error) {
        if (host.isDead) throw error
        await host.clock.sleep(retryMs * attempt)
      }
    }
  }

  #requests(host: Host, requests: Requests): Requests {
    return {
      replyTo: requests.replyTo,
      isConnected: true,
      send: (command, timeoutMs) =>
        this.#exchange(host, `asks ${nameOf(command)}`, () => requests.send(command, timeoutMs)).catch((error) => {
          if (hasCode(error, 'mailbox-full')) this.#faults.see(host.name, 'mailbox full')
          throw error
        }),
      onAnswer: (handler) =>
        requests.onAnswer((answer) => {
          if (this.#faults.happens('dropped')) this.#faults.see(host.name, 'answer to a client lost')
          else this.#faults.time.plan(this.#faults.delayMs(), () => host.run(() => handler(answer)))
        }),
    }
  }

  #effects(host: Host, effects: EffectQueue): EffectQueue {
    const { time } = this.#faults
    const far = (effect: EffectDelivery): EffectDelivery => ({
      ...effect,
      // Like the shipped one, which swallows that nobody answers: then it comes again.
      done: () => this.#exchange(host, `${nameOfEffect(effect)} is done`, () => effect.done()).catch(() => undefined),
      retry: (delayMs) => {
        this.#faults.send(host, `${nameOfEffect(effect)} again in ${delayMs} ms`, () => effect.retry(delayMs))
      },
      working: () => this.#faults.send(host, `still at ${nameOfEffect(effect)}`, () => effect.working()),
    })
    return {
      consume: async (service, concurrency, handle) => {
        const consumer = await effects.consume(service, concurrency, (effect) => {
          if (effect.attempt > 1) this.#faults.sightings.note('effect delivered again')
          return new Promise((resolve, reject) => {
            const end = this.#begin(host, effect.messageId)
            const carryOut = (): void => {
              handle(far(effect)).finally(end).then(resolve, reject)
            }
            time.plan(this.#faults.delayMs(), () => host.run(carryOut))
          })
        })
        return {
          limit: (concurrency) => this.#faults.time.plan(1, () => consumer.limit(concurrency)),
          close: () => consumer.close(),
        }
      },
      waiting: (service) => this.#exchange(host, `asks what waits for ${service}`, () => effects.waiting(service)),
    }
  }

  /** @returns what ends the attempt. The death of the process does too, once what it has sent has come to its end. */
  #begin(host: Host, effectId: string): () => void {
    const others = this.#attempts.get(effectId) ?? 0
    if (others > 0) this.overlapping.add(effectId)
    this.#attempts.set(effectId, others + 1)
    let isOver = false
    const end = (): void => {
      if (!isOver) this.#attempts.set(effectId, (this.#attempts.get(effectId) ?? 1) - 1)
      isOver = true
    }
    host.whenDead(() => this.#faults.time.plan(longestDelayMs, end))
    return end
  }
}

/** As the shipped publisher says it, when it does not know whether it was stored. */
const again = (message: Outgoing): Outgoing => (message.to === 'effects' ? { ...message, mayBeRepeat: true } : message)

function nameOf(message: Outgoing): string {
  const { address, to } = message
  const type =
    to === 'mailbox'
      ? message.command.type
      : to === 'events'
        ? message.event.type
        : to === 'effects'
          ? message.request.type
          : message.type
  return `${type} ${to === 'mailbox' ? 'to' : 'of'} ${address.id.slice(-4)}`
}

const nameOfEffect = ({ type, actor, attempt }: EffectDelivery): string =>
  `${type} of ${actor.id.slice(-4)}, attempt ${attempt},`
