import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Client } from './support/client.ts'
import { type Cluster, startCluster } from './support/cluster.ts'
import { EventClient, type ServerEvent } from './support/event-source.ts'
import { until } from './support/wait.ts'

let cluster: Cluster
before(async () => {
  cluster = await startCluster()
})
after(() => cluster.stop())

/** Listens with one connection after the other, each from where the one before was cut. */
function listenOn(path: string, firstUrl: string) {
  let current = new EventClient(`${firstUrl}${path}`)
  const earlier: ServerEvent[] = []
  return {
    heard: () => [...earlier, ...current.events],
    begun: () => until('it listens', () => current.lastId !== undefined),
    hasEnded: () => current.isOver,
    reconnect: (url: string) => {
      current.close()
      earlier.push(...current.events)
      current = new EventClient(`${url}${path}`, current.lastId)
    },
    close: () => current.close(),
  }
}

test('whoever listens gets each event once and in order, cut off or not, from whichever process', async () => {
  const [doomed, other] = [await cluster.addDaemon('ingress,worker,effects'), await cluster.addDaemon('ingress')]
  const clients = [new Client(doomed.url), new Client(other.url)]
  const [client, client2] = clients as [Client, Client]
  const all = listenOn('/events', doomed.url)
  await all.begun()

  const show = await client.createShow(100)
  const bookOne = async (by: Client) => String((await by.book(show, 2)).body.booking_id)
  const booking = await bookOne(client)
  const own = listenOn(`/bookings/${booking}/events`, doomed.url)
  const isConfirmed = ({ name }: ServerEvent) => name === 'TicketConfirmed_v1'
  await until('the booking is made', () => own.heard().some(({ name }) => name === 'BookingMade_v1'))
  // Cut by the client, in the middle of things.
  own.reconnect(doomed.url)
  await until('both tickets are confirmed', () => own.heard().filter(isConfirmed).length === 2)
  await until('the public ones are told too', () => all.heard().length >= 3)
  all.reconnect(other.url)
  await all.begun()

  await doomed.process().kill()
  await until('its listener is cut off', () => own.hasEnded())
  const restarted = await cluster.addDaemon('ingress,worker,effects')
  own.reconnect(restarted.url)
  const second = await bookOne(client2)
  assert.equal((await client2.post(`/bookings/${booking}/cancel`, {})).status, 202)
  all.reconnect(restarted.url)
  await until('the first booking is refunded', () => own.heard().filter(isRefunded).length === 2, 30_000)
  await until('everybody hears of the second one', () => all.heard().some(({ data }) => data.booking_id === second))
  const idsHeard = () => all.heard().map(({ data }) => (data.header as { id: string }).id)
  let published = await publicEvents()
  await until('all that is public is heard, each once', async () => {
    published = await publicEvents()
    return (
      idsHeard().sort().join() ===
      published
        .map(({ id }) => id)
        .sort()
        .join()
    )
  })
  for (const partition of new Set(published.map((event) => event.partition))) {
    const inJournal = published.filter((event) => event.partition === partition).map(({ id }) => id)
    assert.deepEqual(
      idsHeard().filter((id) => inJournal.includes(id)),
      inJournal,
    )
  }
  const journaled = await eventsOf(booking)
  assert.deepEqual(
    own.heard().map(({ name }) => name),
    journaled,
  )
  assert.ok(journaled.includes('BookingCanceled_v1'))

  for (const one of [all, own]) one.close()
  for (const one of clients) one.close()
})

const isRefunded = ({ name }: ServerEvent) => name === 'TicketRefunded_v1'

const publicEvents = () => cluster.sql<{ id: string; partition: number }[]>`
  select json_array_elements(decision -> 'publishes') ->> 'messageId' as id, partition
  from turn where decision -> 'publishes' is not null order by partition, position`

async function eventsOf(booking: string): Promise<string[]> {
  const rows = await cluster.sql<{ name: string }[]>`
    select json_array_elements(decision -> 'events') ->> 'type' as name
    from turn where kind = 'booking' and actor_id = ${booking} order by version`
  return rows.map(({ name }) => name)
}
