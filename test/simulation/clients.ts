import type { Kind } from '../../schemas/index.ts'
import type { Reply, Tagged } from '../../src/actor/actor.ts'
import { deriveId, partitionOf } from '../../src/actor/ids.ts'
import type { MemoryBroker } from '../../src/broker/memory.ts'
import { messageKeyOf } from '../../src/engine/batch.ts'
import type { Address, OutgoingCommand, Reads, Requests } from '../../src/engine/ports.ts'
import type { Faults } from './faults.ts'
import type { Host } from './host.ts'
import type { Mix } from './mix.ts'
import { heldBack, type Witness } from './witness.ts'

export type Asked = { command: OutgoingCommand; reply?: Reply }

type World = {
  host: Host
  faults: Faults
  mix: Mix
  requests: Requests
  reads: Pick<Reads, 'findTurns'>
  broker: MemoryBroker
  witness: Witness
  /** Leaves a command to some process of the daemon's. */
  handIn(command: OutgoingCommand): void
}

/** How long a client waits for an answer before it looks into the journal, and then asks again under the same id. */
const patienceMs = 1_500

/**
 * Everybody outside: who creates shows, books, cancels and refunds, Dead Nation's webhook, and those who send what makes
 * no sense. Each asks until it is answered, and notes what it was answered.
 */
export class Clients {
  /** By the id of the request. */
  readonly asked = new Map<string, Asked>()
  readonly #world: World
  readonly #shows: string[]
  readonly #waiting = new Map<string, (reply: Reply) => void>()

  constructor(world: World) {
    this.#world = world
    const { random } = world.faults
    this.#shows = Array.from({ length: world.mix.shows }, () => random.uuid())
    world.requests.onAnswer(({ requestId, reply }) => {
      world.witness.answers(requestId, reply)
      if ('refused' in reply && reply.refused === 'paused') return
      this.#waiting.get(requestId)?.(reply)
    })
  }

  /** Who asked for something that was set aside may wait for ever. */
  get unanswered(): Asked[] {
    return [...this.asked.values()].filter((asked) => !asked.reply && !this.#isSetAside(asked))
  }

  /** Plans all that clients do of themselves. */
  start(): void {
    const { mix, faults } = this.#world
    const { random } = faults
    for (const show of this.#shows) this.#ask('show', show, this.#creation())
    const anyTime = (action: () => void): void => faults.time.plan(random.between(1, mix.rushMs), action)
    for (let i = 0; i < mix.bookings; i++) anyTime(() => this.#book())
    for (let i = 0; i < mix.bundles; i++) anyTime(() => this.#orderBundle())
    anyTime(() => this.#orderByAgent())
    anyTime(() => this.#sellWithoutBooking())
    for (let i = 0; i < mix.nonsense; i++) anyTime(() => this.#sayNonsense())
  }

  /** Dead Nation has taken an order: it tells of each ticket by and by, in any order, some twice, some never. */
  ordered(bookingId: string, tickets: number): void {
    const { random } = this.#world.faults
    const more = random.chance(0.1) ? 1 : 0
    for (let i = 0; i < tickets + more; i++) this.#report(random.uuid(), bookingId)
  }

  #book(): void {
    const { random } = this.#world.faults
    const bookingId = random.uuid()
    const wish = { ...this.#wish(), ...(random.chance(0.2) && { booking_id: bookingId }) }
    this.#ask('booking', bookingId, { type: 'BookShowTickets', ...wish })
    if (random.chance(0.2)) this.#later(() => this.#ask('booking', bookingId, { type: 'CancelBooking' }))
  }

  /** Some are stopped by an operator, of some the booking is canceled. */
  #orderBundle(): void {
    const { faults, mix } = this.#world
    const { random } = faults
    const bundleId = random.uuid()
    const number_of_tickets = random.pick([1, 1, 2, 3])
    const flights = { inbound_flight_id: random.uuid(), return_flight_id: random.uuid() }
    const passengers = Array.from({ length: number_of_tickets }, (_, index) => `passenger ${index}`)
    const order = { ...this.#wish(), number_of_tickets, ...flights, passengers }
    this.#ask('bundle', bundleId, { type: 'InitializeVipBundle', ...order } as Tagged)
    const stop = (): void => this.#ask('bundle', bundleId, { type: 'CancelVipBundle' })
    if (random.chance(0.2)) this.#later(stop, mix.stormMs)
    const cancel = (): void => this.#ask('booking', deriveId(bundleId, 'booking'), { type: 'CancelBooking' })
    if (random.chance(0.1)) this.#later(cancel, mix.stormMs)
  }

  /** Ten at once are more than a batch of one message may turn into. */
  #orderByAgent(): void {
    const { faults, mix } = this.#world
    const { random, time } = faults
    const agentId = random.uuid()
    const at = new Date(time.nowMs + random.between(500, mix.stormMs)).toISOString()
    const booking_ids = Array.from({ length: random.pick([0, 1, 2, 10]) }, () => random.uuid())
    const wish = { ...this.#wish(), number_of_tickets: 1 }
    this.#ask('agent', agentId, { type: 'OrderLater', at, booking_ids, wish } as Tagged)
    if (random.chance(0.3)) this.#later(() => this.#ask('agent', agentId, { type: 'Withdraw' }))
  }

  #sellWithoutBooking(): void {
    const { random } = this.#world.faults
    this.#report(random.uuid(), random.chance(0.5) ? '' : random.uuid())
  }

  #report(ticketId: string, bookingId: string): void {
    const { random } = this.#world.faults
    const price = { amount: '50.30', currency: 'EUR' }
    const details = { booking_id: bookingId, customer_email: 'kate@example.com', price }
    const say = (type: string): void => {
      this.#later(() => this.#ask('ticket', ticketId, { type, ...details } as Tagged))
    }
    const fate = random.fraction()
    if (fate < 0.9) say('ConfirmTicket')
    if (fate < 0.1) say('ConfirmTicket')
    if (fate > 0.8 && fate < 0.98) say('CancelTicket')
    if (fate > 0.2 && fate < 0.4) this.#later(() => this.#ask('ticket', ticketId, { type: 'RefundTicket' }), 4_000)
  }

  #sayNonsense(): void {
    const { faults, mix, witness, broker } = this.#world
    const { random } = faults
    const [id, messageId] = [random.uuid(), random.uuid()]
    const home = partitionOf(id, mix.partitions)
    const say = (subject: string, body = '{}'): void => {
      witness.asked(messageId)
      broker.publish({ subject, headers: { 'Nats-Msg-Id': messageId }, body })
    }
    const options = [
      () => say(`sim.cmd.show.${id}.CreateShow`, 'no JSON'),
      () => say(`sim.cmd.cinema.${id}.CreateShow`),
      () => say(`sim.cmd.show.${id}.BuyShow`),
      () => this.#ask('agent', id, { type: 'Fail' }),
      () => this.#ask('agent', id, { type: 'Poison' }),
      () => say(`sim.mbx.${(home + 1) % mix.partitions}.agent.${id}.Withdraw`),
    ]
    random.pick(options)()
  }

  #creation(): Tagged {
    const { random } = this.#world.faults
    const details = { dead_nation_id: random.uuid(), start_time: '2027-01-01T20:00:00.000Z', title: 'A', venue: 'B' }
    return { type: 'CreateShow', ...details, number_of_tickets: random.between(5, 30) } as Tagged
  }

  #wish() {
    const { random } = this.#world.faults
    const isUnknown = random.chance(0.05)
    return {
      show_id: isUnknown ? random.uuid() : random.pick(this.#shows),
      number_of_tickets: random.pick([1, 1, 2, 2, 3, 6]),
      customer_email: 'kate@example.com',
    }
  }

  #later(action: () => void, withinMs = 2_000): void {
    const { time, random } = this.#world.faults
    time.plan(random.between(1, withinMs), action)
  }

  /** Asks until there is an answer. Some ask again although they have one. */
  #ask(kind: Kind | 'agent', id: string, command: Tagged): void {
    const { requests, faults, witness } = this.#world
    const messageId = faults.random.uuid()
    const meta = { correlationId: messageId, replyTo: requests.replyTo, requestId: messageId }
    const outgoing: OutgoingCommand = { to: 'mailbox', address: { kind, id }, messageId, command, meta }
    const asked: Asked = { command: outgoing }
    this.asked.set(messageId, asked)
    witness.asked(messageId)
    void this.#untilAnswered(asked).then(() => {
      if (faults.random.chance(0.1)) this.#later(() => void requests.send(outgoing, patienceMs).catch(() => undefined))
    })
  }

  async #untilAnswered(asked: Asked): Promise<void> {
    const { requests, reads, host, mix, faults } = this.#world
    const { address, messageId } = asked.command
    while (!asked.reply && !this.#isSetAside(asked)) {
      const isOver = new AbortController()
      this.#waiting.set(messageId, (reply) => {
        asked.reply ??= reply
        isOver.abort('answered')
      })
      if (faults.random.chance(0.5)) this.#world.handIn(asked.command)
      else await requests.send(asked.command, patienceMs).catch(() => undefined)
      if (!asked.reply) await host.clock.sleep(patienceMs, isOver.signal)
      if (asked.reply) return
      const found = await reads.findTurns([keyOf(address, messageId, mix.partitions)]).catch(() => [])
      const reply = found[0]?.reply
      if (reply) {
        faults.sightings.note('answer looked up in the journal')
        this.#world.witness.answers(messageId, reply)
        asked.reply ??= reply
      }
    }
  }

  #isSetAside({ command: { address: to, messageId } }: Asked): boolean {
    const letter = this.#world.witness.letters.get(messageKeyOf({ to, messageId }))
    return letter !== undefined && letter.code !== heldBack
  }
}

function keyOf({ kind, id }: Address, messageId: string, partitions: number) {
  return { kind, id, messageId, partition: partitionOf(id, partitions) }
}
