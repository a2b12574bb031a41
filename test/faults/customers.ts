import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { orderOf } from '../../ops/bundles/orders.ts'
import type { BookingView } from '../../schemas/http.ts'
import type { Chance } from '../support/random.ts'
import type { Ledger } from './ledger.ts'

const longestPauseMs = 1_500
const price = { amount: '50.30', currency: 'EUR' }
const email = 'kate@example.com'

/** Some shows have enough for everybody; the last one has not. */
const showCount = 20
const seats = { enough: 1_000_000, few: 200 }

export async function createShows(ledger: Ledger): Promise<string[]> {
  const create = async (index: number): Promise<string> => {
    const { body } = await ledger.ask<{ show_id: string }>(
      {
        method: 'POST',
        path: '/shows',
        body: {
          dead_nation_id: randomUUID(),
          number_of_tickets: index === showCount - 1 ? seats.few : seats.enough,
          start_time: '2027-01-01T20:00:00Z',
          title: 'The Hounds of Love',
          venue: 'Lyceum',
        },
        command: { kind: 'show', type: 'CreateShow', turns: 1 },
      },
      false,
    )
    return body.show_id
  }
  return Promise.all(Array.from({ length: showCount }, (_, index) => create(index)))
}

/**
 * So many customers, each of whom does one thing after the other: books and maybe cancels, or has a ticket refunded or
 * canceled; books a VIP bundle and maybe stops it; or is told of by a seller whom nobody here has asked.
 *
 * @returns what lets them come to an end with what they are doing
 */
export function startCustomers(count: number, ledger: Ledger, shows: string[], chance: Chance): () => Promise<void> {
  let isStopping = false
  let bundles = 0
  const doOne = (): Promise<void> => {
    const wish = chance.next()
    if (wish < 0.55) return book(ledger, chance, chance.pick(shows))
    if (wish < 0.8) return bookBundle(ledger, chance, orderOf(bundles++, shows))
    return sellElsewhere(ledger, chance)
  }
  const live = async (): Promise<void> => {
    while (!isStopping) {
      await doOne()
      await sleep(chance.below(longestPauseMs))
    }
  }
  const lives = Array.from({ length: count }, live)
  return async () => {
    isStopping = true
    await Promise.all(lives)
  }
}

/** Some lose the answer, or doubt it. */
const isAskedTwice = (chance: Chance): boolean => chance.hits(0.1)

async function book(ledger: Ledger, chance: Chance, show_id: string): Promise<void> {
  const number_of_tickets = 1 + chance.below(3)
  const { status, body } = await ledger.ask<{ booking_id: string }>(
    {
      method: 'POST',
      path: '/book-tickets',
      body: { show_id, number_of_tickets, customer_email: email },
      command: { kind: 'booking', type: 'BookShowTickets', turns: 1 },
    },
    isAskedTwice(chance),
  )
  if (status !== 201) return
  ledger.bookings.push(body.booking_id)
  const fate = chance.next()
  if (fate < 0.15) await cancelBooking(ledger, chance, body.booking_id)
  else if (fate < 0.45) {
    const [ticket] = await ticketsOf(ledger, body.booking_id)
    if (!ticket) return
    if (fate < 0.3) await refund(ledger, chance, ticket)
    else await report(ledger, chance, [ticket], 'canceled', body.booking_id)
  }
}

function cancelBooking(ledger: Ledger, chance: Chance, id: string): Promise<unknown> {
  const command = { kind: 'booking' as const, type: 'CancelBooking', turns: 1 }
  return ledger.ask({ method: 'POST', path: `/bookings/${id}/cancel`, command }, isAskedTwice(chance))
}

/** Its tickets, once one of them is confirmed; none when that does not come about. */
async function ticketsOf(ledger: Ledger, booking: string): Promise<string[]> {
  for (;;) {
    const { status, tickets } = await ledger.see<BookingView>(`/bookings/${booking}`)
    const confirmed = Object.keys(tickets)
    if (confirmed.length > 0 || status !== 'made') return confirmed
    await sleep(200)
  }
}

function refund(ledger: Ledger, chance: Chance, ticket: string): Promise<unknown> {
  const command = { kind: 'ticket' as const, type: 'RefundTicket', turns: 1 }
  return ledger.ask({ method: 'PUT', path: `/ticket-refund/${ticket}`, command }, isAskedTwice(chance))
}

/** What a seller's webhook tells of some tickets. */
function report(
  ledger: Ledger,
  chance: Chance,
  ids: string[],
  status: 'confirmed' | 'canceled',
  booking_id = '',
): Promise<unknown> {
  const tickets = ids.map((ticket_id) => ({ ticket_id, status, price, customer_email: email, booking_id }))
  const type = status === 'confirmed' ? 'ConfirmTicket' : 'CancelTicket'
  const command = { kind: 'ticket' as const, type, turns: ids.length }
  return ledger.ask({ method: 'POST', path: '/tickets-status', body: { tickets }, command }, isAskedTwice(chance))
}

async function bookBundle(ledger: Ledger, chance: Chance, order: object): Promise<void> {
  const { body } = await ledger.ask<{ vip_bundle_id: string; booking_id: string }>(
    {
      method: 'POST',
      path: '/book-vip-bundle',
      body: order,
      command: { kind: 'bundle', type: 'InitializeVipBundle', turns: 1 },
    },
    isAskedTwice(chance),
  )
  const id = body.vip_bundle_id
  ledger.bundles.push({ id, booking: body.booking_id })
  if (!chance.hits(0.1)) return
  const command = { kind: 'bundle' as const, type: 'CancelVipBundle', turns: 1 }
  await ledger.ask({ method: 'POST', path: `/vip-bundles/${id}/cancel`, command }, isAskedTwice(chance))
}

/** Tickets without a booking, some of which are given back. */
async function sellElsewhere(ledger: Ledger, chance: Chance): Promise<void> {
  const tickets = Array.from({ length: 1 + chance.below(3) }, () => randomUUID())
  await report(ledger, chance, tickets, 'confirmed')
  const [first = ''] = tickets
  const fate = chance.next()
  if (fate < 0.5) await refund(ledger, chance, first)
  else if (fate < 0.75) await report(ledger, chance, [first], 'canceled')
}
