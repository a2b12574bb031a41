import { type Board, of, quantile, rate } from './board.ts'

const commands = 'route!~"/health.*|/metrics"'
const requests = 'turnstile_http_request_seconds'

/** The first look: is it well, and if not, where. */
export const overview: Board = {
  uid: 'turnstile-overview',
  title: 'Turnstile: overview',
  description: 'Whether customers are served, what waits, and what stands still.',
  rows: [
    {
      title: 'Now',
      panels: [
        {
          title: 'Requests that fail',
          description: 'The part of the requests that were answered with 5xx. One in a thousand is the budget.',
          unit: 'percentunit',
          kind: 'stat',
          thresholds: [0.001, 0.0144],
          targets: [
            {
              expr: `(sum(${rate(`${requests}_count`, commands, 'status=~"5.."')}) or vector(0)) / sum(${rate(`${requests}_count`, commands)})`,
              legend: '5xx',
            },
          ],
        },
        {
          title: 'The oldest message',
          description: 'How long the oldest message that has not had its turn waits. Clients give up after 4.5 s.',
          unit: 's',
          kind: 'stat',
          thresholds: [2, 10],
          targets: [{ expr: `max(${of('turnstile_mailbox_oldest_seconds')})`, legend: 'oldest' }],
        },
        {
          title: 'Dead letters that wait for a person',
          description: 'Open ones, without what is set aside by a pause. `turnstile dead-letters list` shows them.',
          unit: 'short',
          kind: 'stat',
          thresholds: [1, 50],
          targets: [
            {
              expr: `sum(max by (code) (${of('turnstile_dead_letters_open', 'code!="actor-paused"')})) or vector(0)`,
              legend: 'open',
            },
          ],
        },
        {
          title: 'Partitions without an owner',
          description:
            'Nobody reads their mailboxes, so their actors stand still. For a few seconds when a worker dies.',
          unit: 'short',
          kind: 'stat',
          thresholds: [1, 1],
          targets: [{ expr: `max(${of('turnstile_partitions_unowned')})`, legend: 'without an owner' }],
        },
        {
          title: 'Services taken for dead',
          description: 'How many circuits are open. The dashboard of the services says which.',
          unit: 'short',
          kind: 'stat',
          thresholds: [1, 2],
          targets: [
            { expr: `sum(max by (service) (${of('turnstile_service_circuit_open')})) or vector(0)`, legend: 'open' },
          ],
        },
        {
          title: 'Processes that reach everything',
          description: 'Of those that are scraped: how many reach Postgres and NATS, each.',
          unit: 'short',
          kind: 'stat',
          targets: [{ expr: `sum by (dependency) (${of('turnstile_dependency_up')})`, legend: '{{dependency}}' }],
        },
      ],
    },
    {
      title: 'HTTP',
      panels: [
        {
          title: 'Requests by status',
          description: 'Answered requests a second. Those of status 503 without a route were turned away at the door.',
          unit: 'reqps',
          kind: 'graph',
          isStacked: true,
          targets: [{ expr: `sum by (status) (${rate(`${requests}_count`, commands)})`, legend: '{{status}}' }],
        },
        {
          title: 'Time to the answer',
          description: 'Of all requests, from the end of the headers to the end of the answer.',
          unit: 's',
          kind: 'graph',
          targets: [0.5, 0.95, 0.99].map((share) => ({
            expr: quantile(share, requests, [], commands),
            legend: `p${share * 100}`,
          })),
        },
        {
          title: 'p99 by route',
          description: 'The slowest hundredth of each route.',
          unit: 's',
          kind: 'graph',
          targets: [{ expr: quantile(0.99, requests, ['route'], commands), legend: '{{route}}' }],
        },
        {
          title: 'Commands that may wait',
          description:
            'How many commands each process lets wait for their answers. It falls while they wait for too long.',
          unit: 'short',
          kind: 'graph',
          targets: [{ expr: of('turnstile_http_pending_limit'), legend: '{{instance}}' }],
        },
        {
          title: 'Listeners',
          description: 'Clients that listen to events.',
          unit: 'short',
          kind: 'graph',
          isStacked: true,
          targets: [{ expr: of('turnstile_listeners'), legend: '{{instance}}' }],
        },
        {
          title: 'Workers',
          description: 'Those whose lease has not expired. Without any, every command gets 503.',
          unit: 'short',
          kind: 'graph',
          targets: [{ expr: `max(${of('turnstile_workers')})`, legend: 'workers' }],
        },
      ],
    },
    {
      title: 'Turns',
      panels: [
        {
          title: 'Turns by kind',
          description: 'Committed turns a second. A booking takes three, each of its tickets some more.',
          unit: 'ops',
          kind: 'graph',
          isStacked: true,
          targets: [{ expr: `sum by (kind) (${rate('turnstile_turns_total')})`, legend: '{{kind}}' }],
        },
        {
          title: 'Messages that wait',
          description: 'In all mailboxes. From TURNSTILE_MAX_LAG (50,000) on every command gets 503.',
          unit: 'short',
          kind: 'graph',
          targets: [{ expr: `sum by (instance) (${of('turnstile_mailbox_lag_messages')})`, legend: '{{instance}}' }],
        },
        {
          title: 'Read models',
          description: 'Turns that each read model lacks. Under load some hundreds are usual.',
          unit: 'short',
          kind: 'graph',
          targets: [
            { expr: `max by (projection) (${of('turnstile_projection_lag_turns')})`, legend: '{{projection}}' },
          ],
        },
      ],
    },
    {
      title: 'Processes',
      panels: [
        {
          title: 'CPU',
          description: 'Cores in use by each process. Node computes on one: near 1 it can do no more.',
          unit: 'short',
          kind: 'graph',
          targets: [{ expr: `sum by (instance) (${rate('process_cpu_seconds_total')})`, legend: '{{instance}}' }],
        },
        {
          title: 'Memory',
          description: 'Resident. It grows until the cache of actors is full, and then stays.',
          unit: 'bytes',
          kind: 'graph',
          targets: [{ expr: of('process_resident_memory_bytes'), legend: '{{instance}}' }],
        },
        {
          title: 'Event loop',
          description: 'p99 of how late the event loop is. Tenths of a second mean too much work for one process.',
          unit: 's',
          kind: 'graph',
          targets: [{ expr: of('nodejs_eventloop_lag_p99_seconds'), legend: '{{instance}}' }],
        },
      ],
    },
  ],
}
