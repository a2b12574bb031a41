import { type Board, of, quantile, rate } from './board.ts'

/** What the workers do: batches, commits, partitions, alarms. */
export const engine: Board = {
  uid: 'turnstile-engine',
  title: 'Turnstile: engine',
  description: 'What the workers do: mailboxes, batches, commits, partitions, alarms.',
  rows: [
    {
      title: 'Mailboxes',
      panels: [
        {
          title: 'Lag by consumer',
          description:
            'Messages that wait in the ten fullest partitions. One alone is a hot show, all of them are a slow worker.',
          unit: 'short',
          kind: 'graph',
          targets: [
            {
              expr: `topk(10, max by (partition) (${of('turnstile_mailbox_lag_messages')}))`,
              legend: 'partition {{partition}}',
            },
          ],
        },
        {
          title: 'The oldest message',
          description: 'How long the oldest message of each worker that has not had its turn waits.',
          unit: 's',
          kind: 'graph',
          targets: [{ expr: of('turnstile_mailbox_oldest_seconds'), legend: '{{instance}}' }],
        },
        {
          title: 'Mailboxes that cannot be read',
          description: 'Of owned partitions. For a moment after a takeover or when NATS restarts.',
          unit: 'short',
          kind: 'graph',
          targets: [{ expr: of('turnstile_partitions_unread'), legend: '{{instance}}' }],
        },
      ],
    },
    {
      title: 'Batches',
      panels: [
        {
          title: 'Turns by outcome',
          description:
            'Committed turns a second: accepted, refused as the rules want, or ignored since there was nothing to do.',
          unit: 'ops',
          kind: 'graph',
          isStacked: true,
          targets: [{ expr: `sum by (outcome) (${rate('turnstile_turns_total')})`, legend: '{{outcome}}' }],
        },
        {
          title: 'Messages in a commit',
          description: 'Batches grow with the load: that is what makes commits cheap. 256 is the most.',
          unit: 'short',
          kind: 'heatmap',
          targets: [{ expr: `sum by (le) (${rate('turnstile_batch_messages_bucket')})`, legend: '{{le}}' }],
        },
        {
          title: 'Time of a commit',
          description: "From the statement to its answer. A slow one is Postgres' disk, or the way there.",
          unit: 's',
          kind: 'graph',
          targets: [0.5, 0.99].map((share) => ({
            expr: quantile(share, 'turnstile_commit_seconds'),
            legend: `p${share * 100}`,
          })),
        },
      ],
    },
    {
      title: 'Partitions',
      panels: [
        {
          title: 'Partitions by worker',
          description: 'Each has its even share. What nobody owns is drawn too.',
          unit: 'short',
          kind: 'graph',
          isStacked: true,
          targets: [
            { expr: of('turnstile_partitions_owned'), legend: '{{instance}}' },
            { expr: `max(${of('turnstile_partitions_unowned')})`, legend: 'nobody' },
          ],
        },
        {
          title: 'Takeovers',
          description:
            'Partitions that were taken: free ones after a start or a drain, expired ones after a crash or a stall.',
          unit: 'short',
          kind: 'graph',
          targets: [
            {
              expr: `sum by (from) (increase(${of('turnstile_takeovers_total')}[$__rate_interval]))`,
              legend: '{{from}}',
            },
          ],
        },
        {
          title: 'Fence losses and duplicates',
          description:
            "Partitions found to be another worker's at a commit; messages that had their turn before. Both are harmless one by one.",
          unit: 'short',
          kind: 'graph',
          targets: [
            {
              expr: `sum(increase(${of('turnstile_fence_losses_total')}[$__rate_interval]))`,
              legend: 'partitions lost',
            },
            { expr: `sum(increase(${of('turnstile_duplicates_total')}[$__rate_interval]))`, legend: 'duplicates' },
          ],
        },
      ],
    },
    {
      title: 'Outbox, alarms, redrive',
      panels: [
        {
          title: 'Outbox',
          description:
            'Messages that are committed and that the broker has not stored yet. With 20,000 the worker waits for it.',
          unit: 'short',
          kind: 'graph',
          targets: [{ expr: of('turnstile_outbox_messages'), legend: '{{instance}}' }],
        },
        {
          title: 'The oldest in the outbox',
          description: 'How long the oldest committed turn waits to be told.',
          unit: 's',
          kind: 'graph',
          targets: [{ expr: of('turnstile_outbox_oldest_seconds'), legend: '{{instance}}' }],
        },
        {
          title: 'Alarms',
          description: 'Deadlines that are set, and those that went off a second.',
          unit: 'short',
          kind: 'graph',
          targets: [
            { expr: `sum(${of('turnstile_alarms_armed')})`, legend: 'armed' },
            { expr: `sum(${rate('turnstile_alarms_fired_total')})`, legend: 'fired a second' },
          ],
        },
        {
          title: 'Alarms that are late',
          description: 'Those that wait for their turn for more than a second, 500 at most.',
          unit: 'short',
          kind: 'graph',
          targets: [{ expr: of('turnstile_alarms_overdue'), legend: '{{instance}}' }],
        },
        {
          title: 'How late',
          description: 'Of the first alarm that has gone off and waits for its turn.',
          unit: 's',
          kind: 'graph',
          targets: [{ expr: of('turnstile_alarms_oldest_seconds'), legend: '{{instance}}' }],
        },
        {
          title: 'Lost and redriven',
          description: "Losses of the broker's streams, and what was published again.",
          unit: 'short',
          kind: 'graph',
          targets: [
            {
              expr: `sum by (stream) (increase(${of('turnstile_stream_losses_total')}[$__rate_interval]))`,
              legend: '{{stream}} lost',
            },
            {
              expr: `sum by (what) (increase(${of('turnstile_redriven_total')}[$__rate_interval]))`,
              legend: '{{what}} redriven',
            },
          ],
        },
      ],
    },
  ],
}
