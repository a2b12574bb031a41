import { id, type World } from '../../src/engine/world.fixtures.ts'

/** Sold out of what it has, and refused by Dead Nation: two shows of the four have their troubles. */
const shows = [
  { id: id('show 0'), dead_nation_id: id('dead nation 0'), number_of_tickets: 100 },
  { id: id('show 1'), dead_nation_id: id('dead nation 1'), number_of_tickets: 12 },
  { id: id('show 2'), dead_nation_id: id('dead nation 2'), number_of_tickets: 50 },
  { id: id('show 3'), dead_nation_id: id('dead nation 3'), number_of_tickets: 4 },
]
/** Dead Nation has no tickets for these. */
export const refusedShows = new Set([id('dead nation 2')])

const bookings = Array.from({ length: 20 }, (_, index) => ({
  id: id(`booking ${index}`),
  show_id: shows[index % shows.length]?.id ?? '',
  number_of_tickets: 1 + (index % 3),
}))

/** Where there are no flights to, and who gets no taxi. */
export const refusedFlight = id('no flight')
export const refusedCustomer = 'nobody@example.com'

/** Each comes to another end. */
const bundles = {
  good: { show: 0, inbound: id('inbound'), customer_email: 'kate@example.com' },
  'given up': { show: 0, inbound: id('inbound'), customer_email: 'kate@example.com' },
  'sold out': { show: 3, inbound: id('inbound'), customer_email: 'kate@example.com' },
  'without flight': { show: 0, inbound: refusedFlight, customer_email: 'kate@example.com' },
  'without taxi': { show: 0, inbound: id('inbound'), customer_email: refusedCustomer },
}

/**
 * Everything that shows, bookings, tickets and bundles have events for, and most of what they refuse or ignore. A new kind of
 * actor has its steps added here.
 */
export async function play(world: World): Promise<void> {
  const command = (kind: string, actorId: string, type: string, fields: object = {}, as = 'once') =>
    world.ask(kind, actorId, { type, ...fields }, id(`${type} ${actorId} ${as}`))
  /** Until everything that follows has been done. */
  const settle = () => world.while(world.clock.sleep(60_000))
  const ticketsOf = (booking: { id: string; number_of_tickets: number }) =>
    Array.from({ length: booking.number_of_tickets }, (_, index) => id(`ticket ${index} of ${booking.id}`))
  const report = (type: 'ConfirmTicket' | 'CancelTicket', ticket: string, booking_id: string, as?: string) =>
    command('ticket', ticket, type, { booking_id, customer_email: 'kate@example.com', price }, as)

  for (const { id: show, ...fields } of shows) await command('show', show, 'CreateShow', { ...details, ...fields })
  for (const { id: booking, ...order } of bookings)
    await command('booking', booking, 'BookShowTickets', { ...order, customer_email: 'kate@example.com' })
  // A show that nobody knows, and a booking that is canceled while it waits for its seats.
  const order = { show_id: id('no show'), number_of_tickets: 1, customer_email: 'kate@example.com' }
  await command('booking', id('booking of no show'), 'BookShowTickets', order)
  const hasty = { id: id('hasty booking'), show_id: shows[0]?.id ?? '', number_of_tickets: 2 }
  await command('booking', hasty.id, 'BookShowTickets', { ...order, show_id: hasty.show_id })
  await command('booking', hasty.id, 'CancelBooking')
  await settle()

  for (const [index, booking] of bookings.entries()) {
    for (const [place, ticket] of ticketsOf(booking).entries()) {
      // Of some a cancellation comes first, of some the confirmation is late.
      if (index % 7 === 3 && place === 0) await report('CancelTicket', ticket, booking.id)
      if (index % 5 !== 4) await report('ConfirmTicket', ticket, booking.id)
    }
  }
  await report('ConfirmTicket', id('a ticket of old'), '')
  await report('ConfirmTicket', id('a ticket too many'), bookings[0]?.id ?? '')
  await settle()

  for (const [index, booking] of bookings.entries()) {
    const [ticket = ''] = ticketsOf(booking)
    if (index % 4 === 0) await command('ticket', ticket, 'RefundTicket')
    if (index % 6 === 5) await report('CancelTicket', ticket, booking.id, 'later')
    if (index % 5 === 4) await command('booking', booking.id, 'CancelBooking')
  }
  await command('ticket', id('no ticket'), 'RefundTicket')
  for (const [name, { show, inbound, customer_email }] of Object.entries(bundles)) {
    const journey = { inbound_flight_id: inbound, return_flight_id: id('return'), passengers: ['Kate', 'Del'] }
    const wish = { show_id: shows[show]?.id, number_of_tickets: 2, customer_email, ...journey }
    await command('bundle', id(`bundle ${name}`), 'InitializeVipBundle', wish)
  }
  await command('booking', id('withdrawn booking'), 'CancelBooking', { bundle_id: id('bundle given up') })
  await settle()
  await command('bundle', id('bundle given up'), 'CancelVipBundle')
  const answer = world.answerTo(id(`InitializeVipBundle ${id('bundle good')} once`))
  const good = answer && 'ok' in answer ? String(answer.ok.booking_id) : ''
  for (const place of [0, 1]) await report('ConfirmTicket', id(`ticket ${place} of the good bundle`), good)
  await settle()

  for (const [index, booking] of bookings.entries()) {
    for (const ticket of ticketsOf(booking)) {
      if (index % 5 === 4) await report('ConfirmTicket', ticket, booking.id)
      if (index % 8 === 0) await command('ticket', ticket, 'RefundTicket', {}, 'again')
    }
  }
  await settle()
}

const price = { amount: '50.30', currency: 'EUR' }
const details = { start_time: '2027-06-01T20:00:00.000Z', title: 'The Hounds of Love', venue: 'Lyceum' }
