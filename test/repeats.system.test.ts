import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { jetstreamManager } from '@nats-io/jetstream'
import { deriveId } from '../src/actor/ids.ts'
import { type Cluster, startCluster } from './support/cluster.ts'
import { checkInvariants } from './support/invariants.ts'
import { connectOutside, type OutsideCommand } from './support/nats-client.ts'
import { until } from './support/wait.ts'

const seed = process.env.SEED ?? randomUUID()
const bookings = 200
const copies = 10_000

let cluster: Cluster
before(async () => {
  cluster = await startCluster()
  // Without the effects, nobody but this test sends commands.
  await cluster.addDaemon('ingress,worker')
})
after(() => cluster.stop())

test('ten thousand copies and shuffles of one set of commands end as one clean pass does', async (t) => {
  t.diagnostic(`SEED=${seed}`)
  const outside = await connectOutside(cluster.nats.url)
  // The broker's own dedupe would catch most of them; here only the journal's stands between the copies and the seats.
  const jsm = await jetstreamManager(outside.connection)
  const mailbox = await jsm.streams.find('turnstile.mbx.>')
  await jsm.streams.update(mailbox, { duplicate_window: 100 * 1_000_000 })

  const [clean, shuffled] = [commandsFor('clean'), commandsFor('shuffled')]
  for (const [show] of [clean, shuffled]) {
    await outside.publish(show)
    await until(
      'the show is on sale',
      async () => (await cluster.sql`select from actor where id = ${show.id}`).length > 0,
    )
  }
  const [, ...wishes] = shuffled
  for (const command of clean) await outside.publish(command)
  for (let round = 0; round * wishes.length <= copies; round++) {
    const order = shuffle(wishes, round)
    for (const command of order) outside.fire(command)
    const last = order.at(-1) as OutsideCommand
    await until('the broker has forgotten this round', async () => !(await outside.publish(last)))
  }
  await until(
    'all mailboxes are read',
    async () => {
      const { state } = await jsm.streams.info(mailbox)
      const [row] = await cluster.sql`select max(cursor)::int as cursor from partition`
      return row?.cursor === state.last_seq
    },
    60_000,
  )

  assert.deepEqual(await outcome(shuffled), await outcome(clean))
  const { turns } = await checkInvariants(cluster)
  assert.equal(turns, 2 * (1 + 3 * bookings))
  const metrics = await (await fetch(`http://127.0.0.1:${cluster.env.PORT}/metrics`)).text()
  const repeats = Number(/turnstile_duplicates_total (\d+)/.exec(metrics)?.[1])
  assert.ok(repeats > copies * 0.9, `only ${repeats} copies got past the broker`)
  t.diagnostic(`${repeats} copies reached the engine, ${turns} turns came of it`)
  await outside.close()
})

/** A show with seats for half of the bookings that are wanted, and the bookings. */
function commandsFor(pass: string): [OutsideCommand, ...OutsideCommand[]] {
  const id = (name: string) => deriveId(`${seed}/${pass}`, name)
  const details = { title: 'A', venue: 'B', start_time: '2027-01-01T20:00:00Z', dead_nation_id: id('dead nation') }
  const show = id('show')
  const creation = { kind: 'show', id: show, name: 'CreateShow', body: { ...details, number_of_tickets: bookings } }
  const wishes = Array.from({ length: bookings }, (_, index) => {
    const body = { show_id: show, number_of_tickets: 2, customer_email: 'kate@example.com' }
    return { kind: 'booking', id: id(`booking ${index}`), name: 'BookShowTickets', body }
  })
  const identify = (command: OutsideCommand, index: number) => ({ ...command, messageId: id(`message ${index}`) })
  return [identify(creation, -1), ...wishes.map(identify)]
}

/** The same order for the same seed and round, and none that anyone would think of. */
function shuffle(commands: OutsideCommand[], round: number): OutsideCommand[] {
  const place = new Map(commands.map((command) => [command, deriveId(`${seed}/${round}`, command.id)]))
  return commands.toSorted((a, b) => ((place.get(a) ?? '') < (place.get(b) ?? '') ? -1 : 1))
}

async function outcome(commands: OutsideCommand[]): Promise<object> {
  const ids = commands.map(({ id }) => id)
  const [show] = await cluster.sql`select state->>'reserved' as reserved from actor where id = ${ids[0] ?? ''}`
  const statuses = await cluster.sql`
    select state->>'status' as status, count(*)::int from actor
    where kind = 'booking' and id::text = any(${ids}) group by 1 order by 1`
  return { show, statuses: [...statuses] }
}
