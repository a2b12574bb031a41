import assert from 'node:assert/strict'
import type postgres from 'postgres'
import { actors } from '../../actors/index.ts'
import type { BookingState } from '../../schemas/booking.ts'
import type { Kind } from '../../schemas/index.ts'
import type { ShowState } from '../../schemas/show.ts'
import type { Tagged } from '../../src/actor/actor.ts'
import { fold } from '../../src/actor/turn.ts'
import { seatsHeld } from './seats.ts'

type Turn = { kind: Kind; actor_id: string; version: number; partition: number; events: Tagged[] | null }
type Folded = { version: number; state: unknown }

/**
 * Reads the whole journal and holds it against everything it must agree with:
 *
 * - each actor's versions run 1, 2, 3 … without a gap, and its stored state is the fold of its events;
 * - each partition's positions run 1, 2, 3 … up to its head;
 * - no show has reserved more than it has, and what it has reserved is what its bookings hold.
 *
 * @returns what was read, so that a test can see that there was something to find
 */
export async function checkInvariants(sql: postgres.Sql): Promise<Checked> {
  // One snapshot for all of it: outcomes of effects may still come in.
  return (await sql.begin('isolation level repeatable read read only', check)) as Checked
}

type Checked = { actors: number; turns: number; made: number }

async function check(sql: postgres.TransactionSql): Promise<Checked> {
  const folded = new Map<string, Folded>()
  const heads = new Map<number, number>()
  let turns = 0
  const journal = sql<(Turn & { position: number })[]>`
    select kind, actor_id, version::int, partition, position::int, decision->'events' as events
    from turn order by partition, position`
  await journal.cursor(2_000, (rows) => {
    for (const row of rows) {
      assert.equal(
        row.position,
        (heads.get(row.partition) ?? 0) + 1,
        `a gap in the journal of partition ${row.partition}`,
      )
      heads.set(row.partition, row.position)
      const key = `${row.kind}.${row.actor_id}`
      const before = folded.get(key) ?? { version: 0, state: actors[row.kind].initial }
      assert.equal(row.version, before.version + 1, `a gap in the versions of ${key}`)
      folded.set(key, { version: row.version, state: fold(actors[row.kind], before.state, row.events ?? []) })
      turns += 1
    }
  })
  for (const { id, head } of await sql`select id, head::int from partition`) {
    assert.equal(heads.get(id) ?? 0, head, `the head of partition ${id}`)
  }
  await checkStates(sql, folded)
  return { actors: folded.size, turns, made: checkSeats(folded) }
}

async function checkStates(sql: postgres.TransactionSql, folded: Map<string, Folded>): Promise<void> {
  let stored = 0
  const actorRows = sql<{ kind: Kind; id: string; version: number; state: unknown }[]>`
    select kind, id, version::int, state from actor`
  await actorRows.cursor(2_000, (rows) => {
    for (const { kind, id, version, state } of rows) {
      assert.deepEqual({ version, state }, folded.get(`${kind}.${id}`), `${kind}.${id} is not the fold of its journal`)
      stored += 1
    }
  })
  assert.equal(stored, folded.size, 'every actor in the journal has a state')
}

function checkSeats(folded: Map<string, Folded>): number {
  const held = new Map<string, number>()
  let made = 0
  for (const [key, { state }] of folded) {
    if (!key.startsWith('booking.')) continue
    const booking = state as BookingState
    if (booking.status === 'made') made += 1
    if ('show_id' in booking) held.set(booking.show_id, (held.get(booking.show_id) ?? 0) + seatsHeld(booking))
  }
  for (const [key, { state }] of folded) {
    if (!key.startsWith('show.')) continue
    const show = state as ShowState
    if (show.status !== 'on-sale') continue
    assert.ok(show.reserved <= show.capacity, `${key} is oversold: ${show.reserved} of ${show.capacity}`)
    assert.equal(show.reserved, held.get(key.slice('show.'.length)) ?? 0, `what ${key} has reserved is what is held`)
  }
  return made
}
