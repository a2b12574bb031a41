import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seatsHeld } from '../actors/seats.ts'
import type { BookingState } from '../schemas/booking.ts'
import type { BundleState } from '../schemas/bundle.ts'
import type { ShowState } from '../schemas/show.ts'
import type { TicketState } from '../schemas/ticket.ts'
import { deriveId } from '../src/actor/ids.ts'
import { bookingId, bundleId, bundleOrder } from './support/bundles.ts'
import { ModelWorld, type Weather } from './support/model-world.ts'
import { Chance } from './support/random.ts'

/**
 * One bundle among all the real actors, in a world that does its worst, many thousand times over. What a seed does can be
 * seen again by `SEED=… npm test -- bundles.model`, which runs that one; `RUNS` asks for another number of them.
 */

const { SEED, RUNS = '20000' } = process.env
const firstSeed = SEED === undefined ? Math.floor(Math.random() * 2 ** 30) : Number(SEED)
const runs = SEED === undefined ? Number(RUNS) : 1

const otherBooking = deriveId('another', 'booking')
const { show_id } = bundleOrder

test(`every bundle ends: all of it, or nothing (seeds from ${firstSeed} on)`, (t) => {
  const seen = { succeeded: 0, failed: 0, undone: 0, undoneAfterTheEnd: 0, ticketsCameLate: 0, steps: 0 }
  for (let seed = firstSeed; seed < firstSeed + runs; seed++) {
    const world = prepare(new Chance(seed))
    try {
      seen.steps += world.run()
      check(world)
    } catch (error) {
      const { message } = error as Error
      throw new Error(`${world.tell()}\n\n${message}\n\nSEED=${seed} npm test -- bundles.model`, { cause: error })
    }
    const { status, parts, steps } = bundleIn(world)
    const undone = Object.entries(parts).filter(([, { undone_ids }]) => undone_ids.length > 0)
    const isLate = undone.some(([part]) => !steps.some(({ name }) => name === `undoing-${part}`))
    seen[status as 'succeeded' | 'failed'] += 1
    seen.undone += undone.length > 0 ? 1 : 0
    seen.undoneAfterTheEnd += isLate ? 1 : 0
    seen.ticketsCameLate += world.happened('TicketCameLate_v1') ? 1 : 0
  }
  t.diagnostic(`${runs} runs: ${JSON.stringify(seen)}`)
  if (runs < 10_000) return
  for (const [what, count] of Object.entries(seen)) assert.ok(count > runs / 1_000, `${what} only ${count} times`)
})

function prepare(chance: Chance): ModelWorld {
  const sometimes = (probability: number) => (chance.hits(0.3) ? probability : 0)
  const count = chance.pick([1, 1, 2])
  const weather: Weather = {
    capacity: chance.hits(0.05) ? count - 1 || 1 : chance.pick([count, count + 1, 5]),
    bookingMs: chance.pick([300_000, 900_000, 3_000_000]),
    bundleStepMs: chance.pick([300_000, 900_000]),
    refusals: { deadNation: sometimes(0.2), flight: sometimes(0.3), taxi: sometimes(0.4) },
    failure: sometimes(0.4),
    stuck: sometimes(0.3),
    duplicate: sometimes(0.3),
  }
  const world = new ModelWorld(chance, weather)
  const details = { title: 'x', venue: 'y', start_time: '2027-01-01T00:00:00.000Z', dead_nation_id: show_id }
  world.send('show', show_id, { type: 'CreateShow', ...details, number_of_tickets: weather.capacity } as never)
  world.run()
  order(world, chance, count)
  planTrouble(world, chance)
  return world
}

function order(world: ModelWorld, chance: Chance, count: number): void {
  const order = { ...bundleOrder, number_of_tickets: count, passengers: bundleOrder.passengers.slice(0, count) }
  const initialize = { type: 'InitializeVipBundle', ...order }
  world.send('bundle', bundleId, initialize)
  if (chance.hits(0.1)) world.send('bundle', bundleId, initialize)
  if (chance.hits(0.2)) {
    const { customer_email } = order
    const book = { type: 'BookShowTickets', show_id, customer_email, number_of_tickets: 1 }
    world.send('booking', otherBooking, book as never)
  }
}

/** What people and time do to it, in any step. */
function planTrouble(world: ModelWorld, chance: Chance): void {
  const acts: [probability: number, act: () => void][] = [
    [0.1, () => world.send('bundle', bundleId, { type: 'CancelVipBundle' })],
    [0.1, () => world.send('booking', bookingId, { type: 'CancelBooking' })],
    [0.1, () => world.send('bundle', bundleId, { type: 'DeadlinePassed' })],
    [0.1, () => world.send('booking', bookingId, { type: 'DeadlinePassed' })],
    [0.1, () => world.send('ticket', deriveId(bookingId, 0), { type: 'RefundTicket' })],
    [0.2, () => world.passTime(chance.below(1_500_000))],
    [0.1, () => world.passTime(chance.below(5_000_000))],
  ]
  for (const [probability, act] of acts) if (chance.hits(probability)) world.plan(chance.below(60), act)
}

function bundleIn(world: ModelWorld): Exclude<BundleState, { status: 'unknown' }> {
  return world.stateOf('bundle', bundleId)
}

/** What is true of every world that has come to rest. */
function check(world: ModelWorld): void {
  const { status } = bundleIn(world)
  const ends = world.published.filter(({ event }) => event.type === 'VipBundleFinalized_v1')
  const success = status === 'succeeded'
  assert.deepEqual(
    ends.map(({ event }) => event),
    [{ type: 'VipBundleFinalized_v1', vip_bundle_id: bundleId, success }],
    'it is finalized once',
  )
  if (success) checkSuccess(world)
  else checkFailure(world)
  checkMoney(world)
  checkSeats(world)
}

function checkSuccess(world: ModelWorld): void {
  const booked = [...world.services.booked.values()]
  assert.deepEqual(booked.map(({ part }) => part).sort(), ['inbound', 'return', 'taxi'])
  for (const { ids, live } of booked) assert.deepEqual([...live], ids, 'nothing is undone')
  const booking = world.stateOf<BookingState>('booking', bookingId)
  assert.ok('tickets' in booking && Object.keys(booking.tickets).length === booking.number_of_tickets)
  assert.equal(bundleIn(world).rollback_reason, null)
}

function checkFailure(world: ModelWorld): void {
  const live = [...world.services.booked.values()].flatMap(({ live }) => [...live])
  assert.deepEqual(live, [], 'everything is undone')
  for (const [id, count] of world.services.canceled) assert.equal(count, 1, `${id} was canceled ${count} times`)
  const booking = world.stateOf<BookingState>('booking', bookingId)
  assert.ok(['failed', 'canceled', 'withdrawn'].includes(booking.status), `the booking is ${booking.status}`)
  for (const [id, ticket] of world.all<TicketState>('ticket')) {
    if (!('booking_id' in ticket) || ticket.booking_id !== bookingId) continue
    assert.equal(world.services.moneyBack.get(id), 1, `ticket ${id} is ${ticket.status}`)
  }
  assert.equal(seatsHeld(booking), 0)
}

function checkMoney(world: ModelWorld): void {
  for (const [id, count] of world.services.moneyBack)
    assert.equal(count, 1, `the money of ${id} went back ${count} times`)
}

function checkSeats(world: ModelWorld): void {
  const held = world.all<BookingState>('booking').reduce((sum, [, state]) => sum + seatsHeld(state), 0)
  const show = world.stateOf<ShowState>('show', show_id)
  assert.equal(show.status === 'on-sale' && show.reserved, held, 'what is reserved is what is held')
}
