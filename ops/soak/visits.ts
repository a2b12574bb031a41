import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { BookingView } from '../../schemas/http.ts'
import { request, withKey } from '../http.ts'

/** Where somebody comes to, and what there is. */
export type Place = { url: string; shows: string[]; index: number }

type Visit = (place: Place) => Promise<void>

/** Longer than the services take to confirm a booking when all is well. */
const confirmedWithinMs = 30_000
/** Who waits for long looks ever more seldom: the looks of all who wait must not be what keeps them waiting. */
const firstPollMs = 250
const longestPollMs = 4_000
const mostListenedMs = 10_000

/** What people and other systems come for. One that throws has not got it. */
export const visits = {
  async booking(place) {
    await confirmedTickets(place, await book(place))
  },
  async cancellation(place) {
    await cancel(place, await book(place))
  },
  async 'cancellation once confirmed'(place) {
    const booking = await book(place)
    await confirmedTickets(place, booking)
    await cancel(place, booking)
  },
  async refund(place) {
    const [ticket] = await confirmedTickets(place, await book(place))
    await expect(202, request(`${place.url}/ticket-refund/${ticket}`, { method: 'PUT' }))
  },
  async 'ticket of another system'(place) {
    const ticket = randomUUID()
    await report(place, ticket, 'confirmed')
    await report(place, ticket, 'canceled')
  },
  async 'VIP bundle'(place) {
    const order = {
      ...orderOf(place),
      inbound_flight_id: randomUUID(),
      return_flight_id: randomUUID(),
      passengers: ['Kate', 'Del'],
    }
    const { vip_bundle_id } = await expect<{ vip_bundle_id: string }>(
      201,
      request(`${place.url}/book-vip-bundle`, post(order)),
    )
    const succeeded = async () => {
      const { body } = await request<{ status: string }>(`${place.url}/vip-bundles/${vip_bundle_id}`)
      return body.status === 'succeeded' ? body : undefined
    }
    await found(`bundle ${vip_bundle_id} to succeed`, succeeded)
  },
  async reader(place) {
    const show = showOf(place)
    for (const path of [
      `/shows/${show}`,
      `/bookings?show_id=${show}&limit=50`,
      '/tickets?limit=50',
      '/shows?limit=50',
    ]) {
      await expect(200, request(`${place.url}${path}`))
    }
  },
  async 'listener to a booking'(place) {
    await listen(`${place.url}/bookings/${await book(place)}/events`, place.index)
  },
  async 'listener to everything'(place) {
    await listen(`${place.url}/events`, place.index)
  },
} as const satisfies Record<string, Visit>

export type VisitName = keyof typeof visits

const post = (body: object) => ({ method: 'POST' as const, body, headers: withKey(randomUUID()) })

const showOf = ({ shows, index }: Place): string => shows[index % shows.length] as string

const orderOf = (place: Place) => ({
  show_id: showOf(place),
  number_of_tickets: 2,
  customer_email: 'kate@example.com',
})

async function book(place: Place): Promise<string> {
  const asked = request<{ booking_id: string }>(`${place.url}/book-tickets`, post(orderOf(place)))
  return (await expect(201, asked)).booking_id
}

function cancel({ url }: Place, booking: string): Promise<unknown> {
  return expect(202, request(`${url}/bookings/${booking}/cancel`, post({})))
}

function report({ url }: Place, ticket_id: string, status: 'confirmed' | 'canceled'): Promise<unknown> {
  const price = { amount: '50.30', currency: 'EUR' }
  const tickets = [{ ticket_id, status, price, customer_email: 'kate@example.com' }]
  return expect(200, request(`${url}/tickets-status`, post({ tickets })))
}

/** Waits for Dead Nation's confirmation, and returns the ids. */
async function confirmedTickets({ url }: Place, booking: string): Promise<string[]> {
  return found(`the tickets of booking ${booking}`, async () => {
    const { body } = await request<BookingView>(`${url}/bookings/${booking}`)
    const tickets = Object.entries(body.tickets).filter(([, standing]) => standing === 'confirmed')
    return tickets.length === body.number_of_tickets ? tickets.map(([id]) => id) : undefined
  })
}

async function found<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const untilMs = performance.now() + confirmedWithinMs
  for (let pauseMs = firstPollMs; performance.now() < untilMs; pauseMs = Math.min(pauseMs * 1.5, longestPollMs)) {
    const value = await look()
    if (value !== undefined) return value
    await sleep(pauseMs)
  }
  throw new Error(`waited in vain for ${what}`)
}

/** Stays for a while once there is something to hear, and goes without a word. */
async function listen(url: string, index: number): Promise<void> {
  const leaving = new AbortController()
  const response = await fetch(url, { signal: leaving.signal })
  if (response.status !== 200) throw new Error(`${url}: ${response.status}`)
  let hasHeard = false
  try {
    for await (const _ of response.body ?? []) {
      if (!hasHeard) setTimeout(() => leaving.abort(), (index * 997) % mostListenedMs)
      hasHeard = true
    }
  } catch (error) {
    if (!leaving.signal.aborted) throw error
  }
  if (!leaving.signal.aborted) throw new Error(`${url} ended`)
}

async function expect<T>(status: number, asked: Promise<{ status: number; body: T }>): Promise<T> {
  const answer = await asked
  if (answer.status !== status) throw new Error(`${answer.status}: ${JSON.stringify(answer.body)}`)
  return answer.body
}
