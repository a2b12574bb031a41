import type { Alert, Group, Recording } from './rules.ts'

/** Of a thousand requests one may fail: what a month of them may cost, the burn rates below are multiples of. */
const errorBudget = 0.001

/** What clients ask for. Probes and scrapes are left out: a process that drains answers its probe with 503 on purpose. */
const requests = 'turnstile_http_request_seconds_count{route!~"/health.*|/metrics"}'
const failures = 'turnstile_http_request_seconds_count{route!~"/health.*|/metrics",status=~"5.."}'

const errorRatio = (window: string): Recording => ({
  record: `turnstile:http_error_ratio:rate${window}`,
  expr: `sum by (namespace) (rate(${failures}[${window}]))\n/ sum by (namespace) (rate(${requests}[${window}]))`,
})

const burns = (rate: number, long: string, short: string): string =>
  [long, short].map((window) => `turnstile:http_error_ratio:rate${window} > ${rate} * ${errorBudget}`).join('\nand ')

const reach: Alert[] = [
  {
    alert: 'TurnstileTargetDown',
    severity: 'ticket',
    expr: 'up{job=~".*turnstile.*"} == 0',
    for: '2m',
    summary: 'A process of Turnstile cannot be scraped',
    description:
      '{{ $labels.instance }} has not answered Prometheus for two minutes: it is down, hangs, or is cut off.',
  },
  {
    alert: 'TurnstileAbsent',
    severity: 'page',
    expr: 'absent(up{job=~".*turnstile.*"} == 1)',
    for: '2m',
    summary: 'No process of Turnstile can be scraped',
    description: 'Either nothing runs, or Prometheus has lost its targets. Nothing else here can be seen meanwhile.',
  },
  {
    alert: 'TurnstileDependencyDown',
    severity: 'page',
    expr: 'min by (namespace, instance, dependency) (turnstile_dependency_up) == 0',
    for: '1m',
    summary: '{{ $labels.dependency }} cannot be reached',
    description:
      '{{ $labels.instance }} has not reached {{ $labels.dependency }} for a minute and answers commands with 503.',
  },
]

const http: Alert[] = [
  {
    alert: 'TurnstileErrorsFast',
    severity: 'page',
    expr: burns(14.4, '1h', '5m'),
    for: '2m',
    summary: "Requests fail so often that a month's error budget is gone in two days",
    description: '{{ $value | humanizePercentage }} of the requests of the last hour were answered with 5xx.',
  },
  {
    alert: 'TurnstileErrorsSlow',
    severity: 'ticket',
    expr: burns(6, '6h', '30m'),
    for: '15m',
    summary: "Requests fail so often that a month's error budget is gone in five days",
    description: '{{ $value | humanizePercentage }} of the requests of the last six hours were answered with 5xx.',
  },
  {
    alert: 'TurnstileSlow',
    severity: 'ticket',
    expr: `histogram_quantile(0.99, sum by (namespace, le) (rate(turnstile_http_request_seconds_bucket{route="/book-tickets"}[5m]))) > 1`,
    for: '10m',
    summary: 'Booking takes longer than a second',
    description: 'One booking in a hundred takes {{ $value | humanizeDuration }} or more.',
  },
  {
    alert: 'TurnstileTurnsAway',
    severity: 'ticket',
    expr: 'sum by (namespace) (rate(turnstile_http_request_seconds_count{route="none",status="503"}[5m])) > 0',
    for: '5m',
    summary: 'Customers are turned away',
    description:
      '{{ $value | humanize }} commands a second are refused at the door: too many wait already, or nobody could carry them out.',
  },
]

const engine: Alert[] = [
  {
    alert: 'TurnstileMailboxLag',
    severity: 'ticket',
    expr: 'max by (namespace, instance, partition) (turnstile_mailbox_lag_messages) > 1000',
    for: '5m',
    summary: 'The mailbox consumer of partition {{ $labels.partition }} lags',
    description:
      '{{ $value | humanize }} messages wait in partition {{ $labels.partition }}, which {{ $labels.instance }} owns.',
  },
  {
    alert: 'TurnstileLagNearLimit',
    severity: 'page',
    expr: 'sum by (namespace) (turnstile_mailbox_lag_messages) > 25000',
    for: '2m',
    summary: 'The mailboxes are half as full as the ingress allows',
    description: '{{ $value | humanize }} messages wait; from 50,000 on (TURNSTILE_MAX_LAG) every command is refused.',
  },
  {
    alert: 'TurnstileOldestMessage',
    severity: 'page',
    expr: 'max by (namespace, instance) (turnstile_mailbox_oldest_seconds) > 10',
    for: '2m',
    summary: 'Messages wait longer than clients do',
    description:
      'The oldest message of {{ $labels.instance }} has waited for {{ $value | humanizeDuration }}; clients get 503 after 4.5 s.',
  },
  {
    alert: 'TurnstilePartitionWithoutOwner',
    severity: 'page',
    expr: 'max by (namespace) (turnstile_partitions_unowned) > 0',
    for: '1m',
    summary: 'Partitions have no owner',
    description: 'Nobody reads the mailboxes of {{ $value | humanize }} partitions: their actors stand still.',
  },
  {
    alert: 'TurnstilePartitionUnread',
    severity: 'page',
    expr: 'max by (namespace, instance) (turnstile_partitions_unread) > 0',
    for: '2m',
    summary: 'Partitions have an owner that cannot read them',
    description:
      '{{ $labels.instance }} cannot read the mailboxes of {{ $value | humanize }} of its partitions: their actors stand still.',
  },
  {
    alert: 'TurnstileFenceLosses',
    severity: 'ticket',
    expr: 'sum by (namespace, instance) (increase(turnstile_fence_losses_total[10m])) > 0',
    for: '30m',
    summary: 'A worker loses its partitions again and again',
    description:
      '{{ $labels.instance }} has been fenced at least every ten minutes for half an hour: it cannot renew its lease in time.',
  },
  {
    alert: 'TurnstileAlarmsOverdue',
    severity: 'page',
    expr: 'max by (namespace, instance) (turnstile_alarms_oldest_seconds) > 30',
    for: '2m',
    summary: 'Deadlines pass unnoticed',
    description:
      'An alarm has been due for {{ $value | humanizeDuration }}: bookings and bundles hold seats that should be free.',
  },
  {
    alert: 'TurnstileOutboxStuck',
    severity: 'page',
    expr: 'max by (namespace, instance) (turnstile_outbox_oldest_seconds) > 30',
    for: '1m',
    summary: 'What is committed does not reach the broker',
    description:
      'The oldest committed turn of {{ $labels.instance }} waits for {{ $value | humanizeDuration }} to be told: calls and events are late.',
  },
  {
    alert: 'TurnstileStreamLost',
    severity: 'ticket',
    expr: 'sum by (namespace, stream) (increase(turnstile_stream_losses_total[15m])) > 0',
    for: '0m',
    summary: 'The broker has lost what it had stored in the stream {{ $labels.stream }}',
    description: 'A redrive has begun by itself and publishes it again; the cause is to be found.',
  },
  {
    alert: 'TurnstilePaused',
    severity: 'ticket',
    expr: 'max by (namespace, target) (turnstile_paused) > 0',
    for: '1h',
    summary: 'Something has been paused for an hour',
    description: '{{ $value | humanize }} pauses of an {{ $labels.target }} are in force; what they hold back waits.',
  },
]

const deadLetters: Alert[] = [
  {
    alert: 'TurnstileDeadLetters',
    severity: 'ticket',
    expr: 'max by (namespace, code) (turnstile_dead_letters_open{code!="actor-paused"}) > 0',
    for: '5m',
    summary: 'Dead letters wait for a person: {{ $labels.code }}',
    description: '{{ $value | humanize }} messages or calls could not be handled, and their actors wait.',
  },
  {
    alert: 'TurnstileDeadLetterFlood',
    severity: 'page',
    expr: 'sum by (namespace) (increase(turnstile_dead_letters_total[10m])) > 50',
    for: '0m',
    summary: 'Dead letters come by the dozen',
    description:
      '{{ $value | humanize }} messages or calls became dead letters within ten minutes: a faulty release, or a service that refuses everything.',
  },
]

const services: Alert[] = [
  {
    alert: 'TurnstileCircuitOpen',
    severity: 'ticket',
    expr: 'max by (namespace, service) (turnstile_service_circuit_open) == 1',
    for: '5m',
    summary: 'The service {{ $labels.service }} is taken for dead',
    description: 'The circuit of {{ $labels.service }} has been open for five minutes: its calls wait in their queue.',
  },
  {
    alert: 'TurnstileEffectsFailing',
    severity: 'ticket',
    expr: `sum by (namespace, service) (rate(turnstile_service_call_seconds_count{outcome="temporary"}[10m]))
/ sum by (namespace, service) (rate(turnstile_service_call_seconds_count[10m])) > 0.1`,
    for: '10m',
    summary: 'Calls of the service {{ $labels.service }} fail',
    description:
      '{{ $value | humanizePercentage }} of the calls of {{ $labels.service }} come to nothing and are tried again.',
  },
  {
    alert: 'TurnstileEffectsLag',
    severity: 'ticket',
    expr: 'max by (namespace, service) (turnstile_effects_lag_messages) > 5000',
    for: '10m',
    summary: 'The consumer of the service {{ $labels.service }} lags',
    description: '{{ $value | humanize }} calls of {{ $labels.service }} wait or are under way.',
  },
]

const readModels: Alert[] = [
  {
    alert: 'TurnstileProjectionLag',
    severity: 'ticket',
    expr: 'max by (namespace, projection) (turnstile_projection_lag_turns) > 10000',
    for: '5m',
    summary: 'The read model {{ $labels.projection }} is behind',
    description: 'It lacks {{ $value | humanize }} turns: lists show what was.',
  },
  {
    alert: 'TurnstileNoProjector',
    severity: 'ticket',
    expr: 'absent(turnstile_projection_lag_turns) and on () up{job=~".*turnstile.*"} == 1',
    for: '5m',
    summary: 'Nobody keeps the read models',
    description: 'No process with the role projector runs: lists show what was.',
  },
]

/** What somebody is told of, and what only the dashboards show is told apart here. A test fires each of them. */
export const groups: Group[] = [
  { name: 'turnstile-ratios', rules: ['5m', '30m', '1h', '6h'].map(errorRatio) },
  { name: 'turnstile-reach', rules: reach },
  { name: 'turnstile-http', rules: http },
  { name: 'turnstile-engine', rules: engine },
  { name: 'turnstile-dead-letters', rules: deadLetters },
  { name: 'turnstile-services', rules: services },
  { name: 'turnstile-read-models', rules: readModels },
]

export const recordings: Recording[] = groups.flatMap(({ rules }) => rules.filter((rule) => 'record' in rule))
export const alerts: Alert[] = groups.flatMap(({ rules }) => rules.filter((rule) => 'alert' in rule))
