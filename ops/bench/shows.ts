/** Far less than a daemon lets wait, however slow the machine. */
const linesAtOnce = 32

/** Does something for each of these, a few at once. The results come in the order of the items. */
export async function forEachOf<T, R>(items: T[], action: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  const left = items.entries()
  const line = async (): Promise<void> => {
    for (const [index, item] of left) results[index] = await action(item)
  }
  await Promise.all(Array.from({ length: linesAtOnce }, line))
  return results
}

/**
 * Creates so many shows with so many seats each.
 *
 * @param url of the daemon
 */
export function createShows(url: string, { shows, seats }: { shows: number; seats: number }): Promise<string[]> {
  const show = {
    dead_nation_id: '01900000-0000-7000-8000-0000000000dd',
    number_of_tickets: seats,
    start_time: '2027-01-01T20:00:00Z',
    title: 'The Hounds of Love',
    venue: 'Lyceum',
  }
  return forEachOf(Array(shows).fill(show), async (body) => idOf(await post(url, '/shows', body), 'show_id'))
}

export type Order = { show_id: string | undefined; number_of_tickets: number; customer_email: string }

/** @returns the booking's id */
export async function bookTickets(url: string, order: Order): Promise<string> {
  return idOf(await post(url, '/book-tickets', order), 'booking_id')
}

function post(url: string, route: string, body: object): Promise<Response> {
  const headers = { 'Content-Type': 'application/json' }
  return fetch(`${url}${route}`, { method: 'POST', headers, body: JSON.stringify(body) })
}

async function idOf(response: Response, name: string): Promise<string> {
  const { [name]: id } = (await response.json()) as Record<string, string>
  if (id === undefined) throw new Error(`${response.url} was answered with ${response.status}`)
  return id
}
