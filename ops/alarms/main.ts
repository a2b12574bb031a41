import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { connect } from '@nats-io/transport-node'
import postgres from 'postgres'
import { partitionOf } from '../../src/actor/ids.ts'
import { residentMb } from '../memory.ts'
import { percentile } from '../percentile.ts'
import { type Daemon, startDaemon } from '../sandbox/daemon.ts'
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts'

const help = `npm run alarms [-- options]: many bookings that wait for their deadline, on servers of its own. Shows what they cost
a worker that takes them over, how late they go off, and in which order.

  --alarms N    bookings whose deadline is far off (1,000,000)
  --due N       bookings whose deadline comes while it is watched, and as many that are overdue by a day (10,000)
  --json FILE   writes the figures there too
`

const partitions = 64
/** The deadlines that come while it is watched begin so long after the daemon's start, and are spread over as much. */
const watchSeconds = 40

export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      alarms: { type: 'string', default: '1000000' },
      due: { type: 'string', default: '10000' },
      json: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(help)
    return 0
  }
  const sandbox = await startSandbox()
  try {
    const figures = await measure(sandbox, Number(values.alarms), Number(values.due))
    if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(figures, undefined, 2)}\n`)
    for (const [name, value] of Object.entries(figures)) process.stdout.write(`${name.padEnd(64)}${value}\n`)
    return figures.early === 0 && figures['not gone off'] === 0 ? 0 : 1
  } finally {
    await sandbox.stop()
  }
}

async function measure(sandbox: Sandbox, far: number, due: number): Promise<Record<string, number>> {
  // Each on a port of its own: nobody calls them.
  const { PORT: _, ...servers } = sandbox.env
  const env = { ...servers, TURNSTILE_PARTITIONS: String(partitions), LOG_LEVEL: 'warn' }
  const start = (): Promise<Daemon> => startDaemon({ roles: 'worker', env })
  progress('a worker without any alarms')
  const idle = await start()
  await sleep(5_000)
  const emptyMb = residentMb(idle.process().pid) ?? 0
  await idle.stop()

  const sql = postgres(sandbox.postgres.url, { max: 4, onnotice: () => {} })
  const deadlines = new Map<string, number>()
  try {
    const show = await insertShow(sql, far + 2 * due)
    progress(`${far.toLocaleString('en')} bookings whose deadline is far off`)
    await insertBookings(sql, show, far, () => Date.now() + 86_400_000 * (1 + Math.random()))
    progress(`${due.toLocaleString('en')} that are overdue by a day, and as many that are due shortly`)
    const add = (id: string, atMs: number): void => void deadlines.set(id, atMs)
    await insertBookings(sql, show, due, () => Date.now() - 86_400_000 * (1 + Math.random()), add)
    await insertBookings(sql, show, due, () => Date.now() + watchSeconds * 1_000 * (1 + Math.random()), add)
    await sql`update partition set armed = (select count(*) from actor where partition = partition.id and wake_at is not null)`
    await sql`vacuum analyze`

    const seen = await watchFailures(sandbox)
    progress('a worker that takes them all over')
    const startedMs = Date.now()
    const first = await start()
    await owned(sql, 1)
    const takeoverMs = Date.now() - startedMs
    await allSeen(seen.atMs, deadlines, (atMs) => atMs < startedMs, 120_000)
    const overdueMs = Math.max(...seen.atMs.values()) - startedMs
    const firstMs = Math.min(...seen.atMs.values()) - startedMs
    const fullMb = residentMb(first.process().pid) ?? 0

    progress('a second worker, and kill -9 of the first while alarms go off')
    const second = await start()
    await owned(sql, 2)
    const soon = [...deadlines].filter(([, atMs]) => atMs > startedMs).sort(([, a], [, b]) => a - b)
    const [, half = 0] = soon[Math.floor(soon.length / 2)] ?? []
    await allSeen(seen.atMs, deadlines, (atMs) => atMs < half, 120_000)
    process.kill(first.process().pid, 'SIGKILL')
    const killedMs = Date.now()
    await owned(sql, 1)
    const failoverMs = Date.now() - killedMs
    await allSeen(seen.atMs, deadlines, () => true, 120_000)
    const lateness = (alarms: [string, number][]): number[] => alarms.map(([id, atMs]) => seenMs(seen.atMs, id) - atMs)
    const lateMs = lateness(soon)
    const calm = lateness(soon.filter(([, atMs]) => atMs < half))
    const outOfOrder = await inversions(sql, deadlines)
    await seen.close()
    await second.stop()
    return {
      'alarms set': far + 2 * due,
      'memory of a worker without alarms, MB': emptyMb,
      'memory of the worker that has them all, MB': fullMb,
      'from its start until it owns all partitions, ms': takeoverMs,
      'until the first overdue one went off, ms': firstMs,
      'until all overdue ones had gone off, ms': overdueMs,
      'overdue ones a second, about': Math.round((due * 1_000) / (overdueMs - firstMs)),
      'lateness while all is well, median, ms': percentile(calm, 0.5),
      'lateness while all is well, p99, ms': percentile(calm, 0.99),
      'lateness while all is well, most, ms': percentile(calm, 1),
      'from kill -9 until the other owns all partitions, ms': failoverMs,
      'lateness through kill -9 and takeover, most, ms': percentile(lateMs, 1),
      'more than a quarter of a second out of order in a partition': outOfOrder,
      early: lateMs.filter((ms) => ms < 0).length,
      'not gone off': [...deadlines.keys()].filter((id) => !seen.atMs.has(id)).length,
      'gone off twice': seen.twice(),
    }
  } finally {
    await sql.end()
  }
}

async function insertShow(sql: postgres.Sql, reserved: number): Promise<string> {
  const id = randomUUID()
  const state = {
    status: 'on-sale',
    dead_nation_id: randomUUID(),
    title: 'A',
    venue: 'B',
    start_time: '2027-01-01T20:00:00.000Z',
    capacity: 10_000_000,
    reserved,
  }
  await sql`insert into actor (partition, kind, id, version, state)
    values (${partitionOf(id, partitions)}, 'show', ${id}, 1, ${sql.json(state)})`
  return id
}

const rowsAtATime = 10_000

async function insertBookings(
  sql: postgres.Sql,
  show: string,
  count: number,
  deadlineMs: () => number,
  note: (id: string, atMs: number) => void = () => {},
): Promise<void> {
  const insert = async (size: number): Promise<void> => {
    const rows = Array.from({ length: size }, () => {
      const [id, atMs] = [randomUUID(), Math.floor(deadlineMs())]
      note(id, atMs)
      return { partition: partitionOf(id, partitions), id, at: new Date(atMs).toISOString() }
    })
    const state = { status: 'made', show_id: show, number_of_tickets: 1, customer_email: 'kate@example.com' }
    const waiting = { ...state, requested_at: '2026-01-01T00:00:00.000Z', tickets_ordered: true, tickets: {} }
    await sql`
      insert into actor (partition, kind, id, version, state, wake_at, wake_meta)
      select partition, 'booking', id, 3, (${sql.json(waiting)}::jsonb || jsonb_build_object('deadline_at', at))::json,
        at::timestamptz, json_build_object('correlationId', id)
      from jsonb_to_recordset(${sql.json(rows)}) as rows(partition int, id uuid, at text)`
  }
  const sizes = Array.from({ length: Math.ceil(count / rowsAtATime) }, (_, i) =>
    Math.min(rowsAtATime, count - i * rowsAtATime),
  )
  const lines = Array.from({ length: 4 }, async () => {
    for (let size = sizes.pop(); size !== undefined; size = sizes.pop()) await insert(size)
  })
  await Promise.all(lines)
}

/** When each booking's failure reached an outside subscriber. */
async function watchFailures(sandbox: Sandbox) {
  const connection = await connect({ servers: sandbox.nats.url })
  const atMs = new Map<string, number>()
  const repeats = new Set<string>()
  const ids = new Set<string>()
  connection.subscribe('turnstile.evt.booking.*.BookingFailed_v1', {
    callback: (_, message) => {
      const [, , , booking = ''] = message.subject.split('.')
      const id = message.headers?.get('Nats-Msg-Id') ?? ''
      // What a new owner tells again is the same event.
      if (atMs.has(booking) && !ids.has(id)) repeats.add(booking)
      ids.add(id)
      if (!atMs.has(booking)) atMs.set(booking, Date.now())
    },
  })
  await connection.flush()
  return { atMs, twice: () => repeats.size, close: () => connection.close() }
}

async function allSeen(
  seen: Map<string, number>,
  deadlines: Map<string, number>,
  which: (atMs: number) => boolean,
  withinMs: number,
): Promise<void> {
  const untilMs = Date.now() + withinMs
  const wanted = [...deadlines].filter(([, atMs]) => which(atMs)).map(([id]) => id)
  while (wanted.some((id) => !seen.has(id)) && Date.now() < untilMs) await sleep(50)
}

const seenMs = (seen: Map<string, number>, id: string): number => seen.get(id) ?? Number.POSITIVE_INFINITY

/** Waits until so many workers live and every partition is one of theirs. */
async function owned(sql: postgres.Sql, workers: number): Promise<void> {
  for (;;) {
    const rows = await sql<{ count: number }[]>`
      select count(*)::int from partition join worker on worker.id = partition.owner
      where worker.lease_until > now() group by owner`
    const total = rows.reduce((sum, { count }) => sum + count, 0)
    if (rows.length === workers && total === partitions) return
    await sleep(10)
  }
}

/** Alarms that had their turn after one of the same partition that was due a quarter of a second later, or more. */
async function inversions(sql: postgres.Sql, deadlines: Map<string, number>): Promise<number> {
  const turns = await sql<{ partition: number; actor_id: string }[]>`
    select partition, actor_id from turn where kind = 'booking' order by partition, position`
  let count = 0
  const latest = new Map<number, number>()
  for (const { partition, actor_id } of turns) {
    const atMs = deadlines.get(actor_id) ?? 0
    const before = latest.get(partition) ?? 0
    if (atMs < before - 250) count += 1
    latest.set(partition, Math.max(before, atMs))
  }
  return count
}

function progress(line: string): void {
  process.stderr.write(`· ${line}\n`)
}
