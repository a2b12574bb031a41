import { type Holdings, holdingsOf, imbalanceOf, type Services } from '../../ops/bundles/balance.ts'
import { violationsOf } from '../../ops/record.ts'
import type { Report } from '../../ops/sandbox/gateway.ts'
import type { BookingView, VipBundleView } from '../../schemas/http.ts'
import type { Findings } from '../../src/verify/findings.ts'
import { judgeEffects, publishedIds } from '../support/settled.ts'
import type { House } from './house.ts'
import type { Ledger } from './ledger.ts'

export type Evidence = { house: House; ledger: Ledger; heard: ReadonlySet<string>; findings: Findings }

/** @returns one line for each promise that was broken, by each who broke it */
export async function judge({ house, ledger, heard, findings }: Evidence): Promise<string[]> {
  const report = house.gateway.report()
  const holdings = holdingsOf(report as unknown as Services)
  return [
    ...house.ended,
    ...violationsOf(findings),
    ...ledger.contradictions.map((line) => `two answers to one question: ${line}`),
    ...(await judgeAcknowledged(house, ledger)),
    ...(await judgeEffects(house.sql, report)).wrong,
    ...(await judgeEvents(house, heard)),
    ...(await judgeMoney(house, holdings)),
    ...(await judgeSales(house, report)),
    ...(await judgeEnds(house)),
    ...(await judgeBundles(ledger, holdings)),
  ]
}

/** Whatever was answered, with a yes or a no, is in the journal, and once. */
async function judgeAcknowledged({ sql }: House, { entries }: Ledger): Promise<string[]> {
  const types = [...new Set(entries.map(({ command }) => command.type))]
  const rows = await sql<{ key: string; turns: number }[]>`
    select concat_ws(' ', meta->>'correlationId', kind, message->>'type') as key, count(*)::int as turns
    from turn where message->>'type' = any (${types}) group by 1`
  const counts = new Map(rows.map(({ key, turns }) => [key, turns]))
  return entries.flatMap(({ correlationId, path, command, answer }) => {
    const turns = counts.get(`${correlationId} ${command.kind} ${command.type}`) ?? 0
    if (turns === command.turns) return []
    return `${path} was answered with ${answer.status}: ${turns} turns in the journal instead of ${command.turns}`
  })
}

/** Who subscribes hears all that the journal has published, and nothing else. */
async function judgeEvents({ sql }: House, heard: ReadonlySet<string>): Promise<string[]> {
  const published = new Set(await publishedIds(sql))
  return [
    ...[...published].filter((id) => !heard.has(id)).map((id) => `the event ${id} was not heard`),
    ...[...heard].filter((id) => !published.has(id)).map((id) => `the event ${id} was heard, and is in no journal`),
  ]
}

/** The money of a ticket went back once if it is canceled or refunded, and not otherwise. */
async function judgeMoney({ sql }: House, { paidBack }: Holdings): Promise<string[]> {
  const tickets = await sql<{ id: string; status: string }[]>`
    select id, state->>'status' as status from actor where kind = 'ticket' and state->>'status' <> 'unknown'`
  const due = new Map(tickets.map(({ id, status }) => [id, status === 'confirmed' ? 0 : 1]))
  return [...new Set([...due.keys(), ...paidBack.keys()])].flatMap((id) => {
    const [paid, expected] = [paidBack.get(id) ?? 0, due.get(id) ?? 0]
    return paid === expected ? [] : `the money of ticket ${id} went back ${paid} times instead of ${expected}`
  })
}

/** Each ticket that Dead Nation has sold is known here. */
async function judgeSales({ sql }: House, report: Report): Promise<string[]> {
  const rows = await sql<{ booking: string; tickets: number }[]>`
    select state->>'booking_id' as booking, count(*)::int as tickets from actor where kind = 'ticket' group by 1`
  const known = new Map(rows.map(({ booking, tickets }) => [booking, tickets]))
  const { bookings } = report as Report & { bookings: { booking_id: string; number_of_tickets: number }[] }
  return bookings.flatMap(({ booking_id, number_of_tickets }) => {
    const tickets = known.get(booking_id) ?? 0
    return tickets === number_of_tickets
      ? []
      : `booking ${booking_id}: ${tickets} of ${number_of_tickets} tickets are known`
  })
}

/** Nobody waits for anything any more, and nothing was set aside. */
async function judgeEnds({ sql }: House): Promise<string[]> {
  const open = await sql<{ kind: string; id: string; status: string }[]>`
    select kind, id, state->>'status' as status from actor
    where (kind = 'booking' and state->>'status' = 'reserving') or wake_at is not null
      or (kind = 'bundle' and state->>'status' not in ('succeeded', 'failed'))
      or (kind = 'ticket' and state->>'status' = 'refunding')`
  const letters = await sql<{ kind: string; actor_id: string; cause: string }[]>`
    select kind, actor_id, cause from dead_letter`
  return [
    ...open.map(({ kind, id, status }) => `${kind} ${id} has not ended: it is ${status}`),
    ...letters.map(({ kind, actor_id, cause }) => `there is a dead letter of ${kind} ${actor_id}: ${cause}`),
  ]
}

async function judgeBundles(ledger: Ledger, holdings: Holdings): Promise<string[]> {
  const wrong: string[] = []
  for (const { id, booking } of ledger.bundles) {
    const bundle = await ledger.see<VipBundleView>(`/vip-bundles/${id}`)
    const seen = await ledger.see<BookingView | { tickets?: undefined }>(`/bookings/${booking}`)
    // Nobody knows one that its bundle has withdrawn before it was asked for.
    const withdrawn = { status: 'canceled', tickets: {} } as BookingView
    wrong.push(...imbalanceOf(bundle, seen.tickets ? seen : withdrawn, holdings))
  }
  return wrong
}
