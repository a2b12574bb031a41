import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { holdingsOf, imbalanceOf, type Services } from '../../ops/bundles/balance.ts'
import type { Fault, FaultSettings } from '../../ops/sandbox/gateway/faults.ts'
import type { Part } from '../../schemas/bundle.ts'
import type { BookingView, VipBundleView } from '../../schemas/http.ts'
import type { Client } from './client.ts'
import type { Cluster } from './cluster.ts'
import { until } from './wait.ts'

type Told = { id: string; kind: string; actor: string; name: string; fields: Record<string, unknown> }

/** A bundle that was asked for. Nothing of it is anybody else's: its show, its flights, the name of who rides the taxi. */
export type Asked = { id: string; booking: string; order: Order }
export type Order = ReturnType<typeof newOrder>

const seats = 5

/** Asks for VIP bundles of two, follows them, and plays Dead Nation's part where it confirms nothing by itself. */
export class BundleGuests {
  /** Of the daemon that is alive. */
  client: Client
  readonly #cluster: Cluster
  readonly #connection: NatsConnection
  /** What an outside subscriber was told, each event once: a new owner repeats what may not have been heard. */
  readonly #told = new Map<string, Told>()
  readonly #faults = new Map<keyof FaultSettings, Fault[]>()

  constructor(cluster: Cluster, client: Client, connection: NatsConnection) {
    this.#cluster = cluster
    this.client = client
    this.#connection = connection
    connection.subscribe('turnstile.evt.>', {
      callback: (_, message) => {
        const [, , kind = '', actor = '', name = ''] = message.subject.split('.')
        const { header, ...fields } = message.json<{ header: Record<string, string> }>()
        assert.deepEqual(Object.keys(header).sort(), ['id', 'idempotency_key', 'published_at'])
        const { id = '', idempotency_key } = header
        assert.ok(idempotency_key)
        this.#told.set(id, { id, kind, actor, name, fields })
      },
    })
  }

  static async listen(cluster: Cluster, client: Client): Promise<BundleGuests> {
    const guests = new BundleGuests(cluster, client, await connect({ servers: cluster.nats.url }))
    await guests.#connection.flush()
    return guests
  }

  /** Breaks a service besides what is broken already. @returns what mends it */
  breakService(service: keyof FaultSettings, fault: Fault): () => void {
    const faults = this.#faults.get(service) ?? []
    faults.push(fault)
    this.#faults.set(service, faults)
    const apply = () => this.#cluster.gateway.setFaults({ [service]: faults })
    apply()
    return () => {
      faults.splice(faults.indexOf(fault), 1)
      apply()
    }
  }

  /** What can be asked for: of a show of its own, on flights of its own. */
  async newOrder(): Promise<Order> {
    return newOrder(await this.client.createShow(seats))
  }

  async ask(order: Order, headers: Record<string, string> = {}): Promise<Asked> {
    const { status, body } = await this.client.post('/book-vip-bundle', order, headers)
    assert.equal(status, 201)
    assert.deepEqual(Object.keys(body).sort(), ['booking_id', 'vip_bundle_id'])
    return { id: String(body.vip_bundle_id), booking: String(body.booking_id), order }
  }

  async see({ id }: Asked): Promise<VipBundleView> {
    const { status, body } = await this.client.get(`/vip-bundles/${id}`)
    assert.equal(status, 200)
    return body as VipBundleView
  }

  async reach(asked: Asked, status: VipBundleView['status'], withinMs = 30_000): Promise<VipBundleView> {
    let seen = await this.see(asked)
    const isThere = async () => {
      seen = await this.see(asked)
      return seen.status === status
    }
    await until(`a bundle is at ${status}`, isThere, withinMs).catch((error) => {
      assert.fail(`${error}: ${JSON.stringify(seen)}`)
    })
    return seen
  }

  /** What Dead Nation's webhook tells of one ticket. */
  async report({ booking, order }: Asked, ticket: string, status: 'confirmed' | 'canceled'): Promise<void> {
    const price = { amount: '50.30', currency: 'EUR' }
    const entry = { ticket_id: ticket, status, price, customer_email: order.customer_email, booking_id: booking }
    const key = { 'Idempotency-Key': randomUUID() }
    assert.equal((await this.client.post('/tickets-status', { tickets: [entry] }, key)).status, 200)
  }

  async confirm(asked: Asked, count = 2): Promise<void> {
    for (let i = 0; i < count; i++) await this.report(asked, randomUUID(), 'confirmed')
  }

  async seeBooking({ booking }: Asked): Promise<BookingView> {
    return (await this.client.get(`/bookings/${booking}`)).body as BookingView
  }

  /** The public events of one actor, as far as they have come. */
  eventsOf(kind: 'bundle' | 'booking' | 'ticket', actor: string): Told[] {
    return [...this.#told.values()].filter((told) => told.kind === kind && told.actor === actor)
  }

  /**
   * Waits for the end, and holds everything against it: what is public, what the services have, and the seats.
   *
   * @param between what the bundle told between its first event and its last, as `tellings` has it
   */
  async checkEnd(asked: Asked, status: 'succeeded' | 'failed', between: Telling[]): Promise<VipBundleView> {
    const bundle = await this.reach(asked, status)
    const finalized = () => this.eventsOf('bundle', asked.id).filter(({ name }) => name === 'VipBundleFinalized_v1')
    await until('its end is told', () => finalized().length > 0)
    const success = status === 'succeeded'
    const told = this.eventsOf('bundle', asked.id).map(({ name, fields }) => ({ name, ...fields }))
    assert.deepEqual(told, [
      { name: 'VipBundleInitialized_v1', vip_bundle_id: asked.id },
      ...between.map((telling) => tellings[telling](bundle)),
      { name: 'VipBundleFinalized_v1', vip_bundle_id: asked.id, success },
    ])
    await this.checkBalance(asked)
    return bundle
  }

  async checkBalance(asked: Asked): Promise<void> {
    const services = this.#cluster.gateway.report() as unknown as Services
    const [bundle, booking] = [await this.see(asked), await this.seeBooking(asked)]
    assert.deepEqual(imbalanceOf(bundle, booking, holdingsOf(services)), [])
    const left = bundle.status === 'succeeded' ? seats - asked.order.number_of_tickets : seats
    const leftNow = async () => (await this.client.get(`/shows/${asked.order.show_id}`)).body.seats_left
    await until(`${left} seats are on sale`, async () => (await leftNow()) === left)
  }

  /** What turns out booked after the end is canceled, and the end is told no second time. */
  async untilUndone(asked: Asked, part: Part, count: number): Promise<void> {
    const undone = async () => (await this.see(asked)).parts[part].undone_ids.length
    await until(`${part} is undone`, async () => (await undone()) === count, 60_000)
    await this.checkBalance(asked)
    const ends = this.eventsOf('bundle', asked.id).filter(({ name }) => name === 'VipBundleFinalized_v1')
    assert.equal(ends.length, 1)
  }

  close(): Promise<void> {
    this.client.close()
    return this.#connection.close()
  }
}

const soldOut = 'sold out'

/** The public events between the first and the last, with their fields to the letter. */
const tellings = {
  'inbound booked': (bundle: VipBundleView) => flightBooked(bundle, 'inbound'),
  'return booked': (bundle: VipBundleView) => flightBooked(bundle, 'return'),
  'inbound refused': (bundle: VipBundleView) => flightRefused(bundle, 'inbound'),
  'return refused': (bundle: VipBundleView) => flightRefused(bundle, 'return'),
  'taxi booked': ({ vip_bundle_id: reference_id, parts }: VipBundleView) => {
    return { name: 'TaxiBooked_v1', taxi_booking_id: parts.taxi.ids[0], reference_id }
  },
  'taxi refused': ({ vip_bundle_id: reference_id }: VipBundleView) => {
    return { name: 'TaxiBookingFailed_v1', failure_reason: soldOut, reference_id }
  },
}
export type Telling = keyof typeof tellings

function flightBooked(bundle: VipBundleView, leg: 'inbound' | 'return') {
  const { vip_bundle_id: reference_id, parts } = bundle
  const flight = { flight_id: bundle[`${leg}_flight_id`], flight_tickets_ids: parts[`${leg}-flight`].ids }
  return { name: 'FlightBooked_v1', ...flight, reference_id }
}

function flightRefused(bundle: VipBundleView, leg: 'inbound' | 'return') {
  const flight = { flight_id: bundle[`${leg}_flight_id`], failure_reason: soldOut }
  return { name: 'FlightBookingFailed_v1', ...flight, reference_id: bundle.vip_bundle_id }
}

function newOrder(show_id: string) {
  const person = randomUUID()
  return {
    show_id,
    number_of_tickets: 2,
    customer_email: `${person}@example.com`,
    inbound_flight_id: randomUUID(),
    return_flight_id: randomUUID(),
    passengers: [`Kate ${person}`, `Del ${person}`],
  }
}

/** What a fault can be about: the call for one part of what was ordered, and no other call. */
export const about = {
  inbound: ({ inbound_flight_id }: Order): string => `"flight_id":"${inbound_flight_id}"`,
  return: ({ return_flight_id }: Order): string => `"flight_id":"${return_flight_id}"`,
  taxi: ({ passengers }: Order): string => `"passenger_name":"${passengers[0]}"`,
  tickets: ({ customer_email }: Order): string => `"customer_address":"${customer_email}"`,
}
