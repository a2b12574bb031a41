import type postgres from 'postgres'
import { type Service, services } from '../../schemas/index.ts'

/** The services that a booking and its tickets need. Transportation is for VIP bundles alone. */
export const ticketServices = services.filter((service) => service !== 'transportation')

/** The steps of a booking and its tickets that wait for a service: from which message to which, and for whom. */
export const steps = {
  order: { from: 'SeatsReserved', to: 'DeadNationAccepted', services: ['dead-nation'] },
  receipt: { from: 'ConfirmTicket', to: 'ReceiptIssued', services: ['receipts'] },
  print: { from: 'ConfirmTicket', to: 'FileStored', services: ['files'] },
  row: { from: 'ConfirmTicket', to: 'RowAppended', services: ['spreadsheets'] },
  refund: { from: 'RefundTicket', to: 'PaymentRefunded', services: ['receipts', 'payments'] },
} satisfies Record<string, { from: string; to: string; services: Service[] }>

export type Duration = { p50: number; p99: number }
export type Step = keyof typeof steps
export const stepNames = Object.keys(steps) as Step[]

/**
 * How long the steps took that began between these two moments, out of the journal: from when the one message was
 * accepted to when the other was. Waits for nothing: call it when all of them are over.
 *
 * @returns the median and the 99th percentile of each, in milliseconds
 */
export async function measureSteps(sql: postgres.Sql, from: Date, to: Date): Promise<Record<Step, Duration>> {
  const rows = await sql<{ actor: string; type: string; at: Date }[]>`
    select kind || '.' || actor_id as actor, message->>'type' as type, at
    from turn where decision->>'outcome' = 'accepted' and kind in ('booking', 'ticket')`
  const times = new Map(rows.map(({ actor, type, at }) => [`${actor} ${type}`, at.getTime()]))
  const durationOf = (step: Step): Duration => {
    const durations = rows
      .filter(({ type, at }) => type === steps[step].from && at >= from && at < to)
      .map(({ actor, at }) => (times.get(`${actor} ${steps[step].to}`) ?? Number.POSITIVE_INFINITY) - at.getTime())
      .sort((a, b) => a - b)
    const percentile = (share: number) => durations[Math.ceil(durations.length * share) - 1] ?? Number.NaN
    return { p50: percentile(0.5), p99: percentile(0.99) }
  }
  return Object.fromEntries(stepNames.map((step) => [step, durationOf(step)])) as Record<Step, Duration>
}
