import { type Board, of, type Panel, rate } from './board.ts'

const perMinute = (metric: string, ...matchers: string[]): string => `60 * ${rate(metric, ...matchers)}`
const inRange = (metric: string, ...matchers: string[]): string => `increase(${of(metric, ...matchers)}[$__range])`

const byOutcome = (title: string, metric: string, description: string): Panel => ({
  title,
  description: `${description} A minute.`,
  unit: 'short',
  kind: 'graph',
  targets: [{ expr: `sum by (outcome) (${perMinute(metric)})`, legend: '{{outcome}}' }],
})

/** What is sold. Counted by what is committed, and rounded by Prometheus: the books are in the journal. */
export const business: Board = {
  uid: 'turnstile-business',
  title: 'Turnstile: business',
  description: 'What is sold, refunded and bundled. For graphs: the books are in the journal.',
  rows: [
    {
      title: 'In the time shown',
      panels: [
        {
          title: 'Bookings made',
          description: 'Bookings that have got their seats.',
          unit: 'short',
          kind: 'stat',
          targets: [{ expr: `sum(${inRange('turnstile_bookings_total', 'outcome="made"')})`, legend: 'made' }],
        },
        {
          title: 'Tickets confirmed',
          description: 'Tickets that Dead Nation has confirmed, those of other systems too.',
          unit: 'short',
          kind: 'stat',
          targets: [{ expr: `sum(${inRange('turnstile_tickets_total', 'outcome="confirmed"')})`, legend: 'confirmed' }],
        },
        {
          title: 'Revenue',
          description:
            'Prices of the tickets confirmed, by currency. What was refunded or canceled afterwards is still in it.',
          unit: 'short',
          kind: 'stat',
          targets: [{ expr: `sum by (currency) (${inRange('turnstile_revenue_total')})`, legend: '{{currency}}' }],
        },
      ],
    },
    {
      title: 'By outcome',
      panels: [
        byOutcome(
          'Bookings',
          'turnstile_bookings_total',
          'Made, failed (sold out, refused, or out of time), canceled.',
        ),
        byOutcome('Tickets', 'turnstile_tickets_total', 'Confirmed and canceled by Dead Nation.'),
        byOutcome('Refunds', 'turnstile_refunds_total', 'Requested, and paid. What is between them is under way.'),
        byOutcome(
          'VIP bundles',
          'turnstile_bundles_total',
          'Initialized, succeeded, or failed with everything undone.',
        ),
        {
          title: 'Revenue by currency',
          description: 'Prices of the tickets confirmed. A minute.',
          unit: 'short',
          kind: 'graph',
          targets: [{ expr: `sum by (currency) (${perMinute('turnstile_revenue_total')})`, legend: '{{currency}}' }],
        },
        {
          title: 'Refunded by currency',
          description: 'Prices of the tickets whose payment was refunded. A minute.',
          unit: 'short',
          kind: 'graph',
          targets: [{ expr: `sum by (currency) (${perMinute('turnstile_refunded_total')})`, legend: '{{currency}}' }],
        },
      ],
    },
  ],
}
