import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { type Journal, openJournal } from '../../test/support/journal.ts'
import { openArchive } from '../archive/read.ts'
import { systemClock } from '../clock.ts'
import type { LiveProjections, RebuildStore } from '../engine/read-model-ports.ts'
import { hasCode } from '../errors.ts'
import { type OpenDatabase, openDatabase, until } from '../store/database.fixtures.ts'
import type { PostgresStore } from '../store/postgres.ts'
import { openLiveProjections, openRebuild } from '../store/projections.ts'
import { advance } from './advance.ts'
import { archivedEvents } from './commands/archived.ts'
import { projections } from './index.ts'
import type { AnyProjection } from './projection.ts'
import { Projector } from './projector.ts'
import { rebuild } from './rebuild.ts'
import { tickets as listedTickets } from './tickets.ts'

/** Counts the events of each show: a turn that is taken twice, or never, shows. */
const counts: AnyProjection = {
  name: 'shows',
  folds: {
    show: { SeatsReserved_v1: (row: { n: number } | undefined) => ({ n: (row?.n ?? 0) + 1 }) } as never,
  },
}

const tickets = listedTickets as AnyProjection
const partitions = 4
let database: OpenDatabase
let store: PostgresStore
let journal: Journal
let watcher: RebuildStore
let closing: (() => Promise<unknown>)[] = []
before(async () => {
  database = await openDatabase()
  store = await database.open()
  watcher = openRebuild({ ...options(), applicationName: 'watcher' })
})
after(async () => {
  await watcher.close()
  await database.close()
})
beforeEach(async () => {
  await database.reset()
  journal = await openJournal(store, partitions)
})
afterEach(async () => {
  for (const close of closing.reverse()) await close()
  closing = []
})

const options = () => ({ url: database.url, applicationName: 'test', deadlineMs: 5_000 })
const live = (): LiveProjections => {
  const opened = openLiveProjections(options())
  closing.push(() => opened.close())
  return opened
}
/** As the command does it: one rebuild for each connection. */
async function rebuildOnce(projection: AnyProjection, wrapped = (store: RebuildStore) => store): Promise<number> {
  const store = openRebuild(options())
  try {
    return await rebuild(
      projection,
      wrapped(store),
      (files) => archivedEvents(openArchive(), files),
      () => {},
    )
  } finally {
    await store.close()
  }
}

const lags = new Map<string, number>()
const logged: object[] = []
const note = (fields: object) => void logged.push(fields)
/** @returns what ends it, and lets go of the lead */
function startProjector(own: AnyProjection[], store = live()): () => Promise<void> {
  const observer = { projectionLag: (name: string, turns: number) => void lags.set(name, turns) }
  const log = { debug() {}, info() {}, warn: note, error: note }
  const projector = new Projector({ projections: own, store, clock: systemClock, log, observer })
  projector.start()
  closing.push(() => projector.stop())
  return async () => {
    await projector.stop()
    await store.close()
  }
}

const untilCaughtUp = (...names: string[]) =>
  until(async () => {
    const standings = (await watcher.standings()).filter(({ name }) => names.includes(name))
    return standings.length === names.length && standings.every(({ lag, turns }) => lag === 0 && turns > 0)
  })
const reservations = () => database.sql`select id, fields from shows order by id`
const reservationsOf = (bookings: number) =>
  database.sql`
    select actor_id as id, json_build_object('n', count(*)) as fields from turn
    where kind = 'show' and decision -> 'events' -> 0 ->> 'type' = 'SeatsReserved_v1'
    group by actor_id order by actor_id limit ${bookings}`
const rowsOf = (name: string) =>
  database.sql`select partition, kind, id, fields::text from ${database.sql(name)} order by partition, kind, id`

describe('the projector', () => {
  test('takes each turn once, also when two at once believe to lead', async () => {
    const both = [live(), live()].map((own) => ({ ...own, lead: async () => true }))
    for (const own of both) startProjector([counts], own)
    for (let i = 0; i < 10; i++) await journal.write(20)
    await untilCaughtUp('shows')
    const seen = await reservations()
    assert.equal(seen.length, 10)
    assert.deepEqual([...seen], [...(await reservationsOf(200))])
  })

  test('goes on where its predecessor was cut off', async () => {
    const cut = startProjector([counts])
    for (let i = 0; i < 10; i++) {
      await journal.write(20)
      if (i % 3 === 2)
        await database.sql`
          select pg_terminate_backend(pid) from pg_stat_activity
          where application_name = 'test' and datname = current_database() and query like '%projection%'`
    }
    await cut()
    await journal.write(20)
    startProjector([counts])
    await untilCaughtUp('shows')
    assert.deepEqual([...(await reservations())], [...(await reservationsOf(220))])
  })

  test('lets another lead when it stops', async () => {
    const [first, second] = [live(), live()]
    const stop = startProjector([counts], first)
    await until(() => first.lead())
    startProjector([counts], second)
    await journal.write(5)
    await untilCaughtUp('shows')
    assert.equal(await second.lead(), false)
    await stop()
    await journal.write(5)
    await untilCaughtUp('shows')
    assert.deepEqual([...(await reservations())], [...(await reservationsOf(10))])
  })

  test('one that cannot fold an event is left behind, says so, and holds up nobody', async () => {
    let isBroken = true
    const broken: AnyProjection = {
      name: 'tickets',
      folds: {
        ticket: {
          TicketPrinted_v1() {
            if (isBroken) throw new Error('it cannot print')
            return { printed: true }
          },
        },
      },
    }
    const stop = startProjector([broken, counts])
    await journal.write(30)
    await untilCaughtUp('shows')
    await until(() => logged.some((fields) => 'code' in fields && fields.code === 'projection-stalled'))
    await until(() => (lags.get('tickets') ?? 0) > 0)
    assert.deepEqual([...(await rowsOf('tickets'))], [])
    await stop()
    isBroken = false
    startProjector([broken, counts])
    await untilCaughtUp('tickets')
    assert.ok((await rowsOf('tickets')).length > 20)
  })

  test('a new read model begins at the first turn, and joins the others', async () => {
    const stop = startProjector([counts])
    await journal.write(40)
    await untilCaughtUp('shows')
    await stop()
    await journal.write(10)
    startProjector(projections.map((one) => (one.name === 'shows' ? counts : one)))
    await untilCaughtUp(...projections.map(({ name }) => name))
    assert.deepEqual([...(await reservations())], [...(await reservationsOf(50))])
    assert.ok((await rowsOf('tickets')).length > 40)
  })
})

describe('a rebuild', () => {
  test('gives, row for row, what was there, in steps of any size, while turns come in', async () => {
    startProjector(projections)
    await journal.write(200)
    await untilCaughtUp(...projections.map(({ name }) => name))
    for (const projection of projections) {
      const before = await rowsOf(projection.name)
      assert.ok(before.length > 5)
      assert.equal(await rebuildOnce(projection, inSmallSteps), journal.turns)
      assert.deepEqual([...(await rowsOf(projection.name))], [...before], projection.name)
    }
    const writing = journal.write(200)
    await rebuildOnce(tickets)
    await writing
    await untilCaughtUp('tickets')
    const before = await rowsOf('tickets')
    await rebuildOnce(tickets)
    assert.deepEqual([...(await rowsOf('tickets'))], [...before])
  })

  test('is refused while another is under way', async () => {
    await live().enroll(['tickets'])
    const first = openRebuild(options())
    closing.push(() => first.close())
    await first.begin('tickets')
    await assert.rejects(rebuildOnce(tickets), (error) => hasCode(error, 'projection-rebuilding'))
  })

  test('that cannot fold an event fails, and leaves what is there', async () => {
    startProjector([counts])
    await journal.write(20)
    await untilCaughtUp('shows')
    const before = await rowsOf('shows')
    const broken = { name: 'shows', folds: { show: { ShowCreated_v1: () => assert.fail('no show') } } }
    await assert.rejects(rebuildOnce(broken), /no show/)
    assert.deepEqual([...(await rowsOf('shows'))], [...before])
  })

  /** Stretches as short as they can be, of which none ends where a story does. */
  function inSmallSteps(store: RebuildStore): RebuildStore {
    const lags: RebuildStore['lags'] = async (names) =>
      (await store.lags(names)).map((lag) => ({ ...lag, head: Math.min(lag.head, lag.position + 97) }))
    return { ...store, lags }
  }
})

test('one step reads the journal once for all read models', async () => {
  const own = live()
  await own.enroll(projections.map(({ name }) => name))
  await journal.write(20)
  const asked: string[] = []
  const counted = Object.fromEntries(
    (['readEvents', 'write'] as const).map((name) => [
      name,
      (...args: never[]) => {
        asked.push(name)
        return (own[name] as (...args: never[]) => unknown)(...args)
      },
    ]),
  )
  const targets = projections.map((projection) => ({ name: projection.name, projection }))
  const lags = await own.lags(targets.map(({ name }) => name))
  const { taken } = await advance(targets, lags, { ...own, ...counted }, 10_000)
  assert.deepEqual(asked, ['readEvents', 'write'])
  assert.deepEqual([...taken.values()], Array(projections.length).fill(journal.turns))
})
