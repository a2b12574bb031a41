import { type Board, of, quantile, rate } from './board.ts'

const calls = 'turnstile_service_call_seconds'

/** The external services: how they answer, and what waits for them. */
export const services: Board = {
  uid: 'turnstile-services',
  title: 'Turnstile: services',
  description: 'The external services: how they answer, what waits for them, and what was given up.',
  rows: [
    {
      title: 'Calls',
      panels: [
        {
          title: 'Calls by service',
          description: 'Calls a second, with those that are tried again.',
          unit: 'reqps',
          kind: 'graph',
          isStacked: true,
          targets: [{ expr: `sum by (service) (${rate(`${calls}_count`)})`, legend: '{{service}}' }],
        },
        {
          title: 'Calls by outcome',
          description: 'Done; refused, which is final; temporary, which is tried again.',
          unit: 'reqps',
          kind: 'graph',
          isStacked: true,
          targets: [{ expr: `sum by (outcome) (${rate(`${calls}_count`)})`, legend: '{{outcome}}' }],
        },
        {
          title: 'Calls that come to nothing',
          description: 'The part of the calls of each service that is tried again.',
          unit: 'percentunit',
          kind: 'graph',
          targets: [
            {
              expr: `sum by (service) (${rate(`${calls}_count`, 'outcome="temporary"')}) / sum by (service) (${rate(`${calls}_count`)})`,
              legend: '{{service}}',
            },
          ],
        },
        {
          title: 'Median',
          description: 'How long half of the calls take at most.',
          unit: 's',
          kind: 'graph',
          targets: [{ expr: quantile(0.5, calls, ['service']), legend: '{{service}}' }],
        },
        {
          title: 'p99',
          description: 'How long all but the slowest hundredth take. A call is given up after 10 s.',
          unit: 's',
          kind: 'graph',
          targets: [{ expr: quantile(0.99, calls, ['service']), legend: '{{service}}' }],
        },
        {
          title: 'Calls that fail and are tried again',
          description:
            'Effects with a failure behind them and an attempt before them. `failing_calls` of a bundle names them.',
          unit: 'short',
          kind: 'graph',
          isStacked: true,
          targets: [{ expr: `max by (service) (${of('turnstile_failing_calls')})`, legend: '{{service}}' }],
        },
      ],
    },
    {
      title: 'What waits',
      panels: [
        {
          title: 'Lag by consumer',
          description: 'Calls that are not done: in the queue of each service, and under way in all processes.',
          unit: 'short',
          kind: 'graph',
          isStacked: true,
          targets: [{ expr: `max by (service) (${of('turnstile_effects_lag_messages')})`, legend: '{{service}}' }],
        },
        {
          title: 'Circuits',
          description:
            '1 while a service is taken for dead: its calls wait in the queue, and one tries every two seconds.',
          unit: 'bool_on_off',
          kind: 'graph',
          targets: [{ expr: `max by (service) (${of('turnstile_service_circuit_open')})`, legend: '{{service}}' }],
        },
        {
          title: 'Pauses',
          description: 'Actors, kinds and services that operators hold back. `turnstile pauses` names them.',
          unit: 'short',
          kind: 'graph',
          targets: [{ expr: `max by (target) (${of('turnstile_paused')})`, legend: '{{target}}' }],
        },
        {
          title: 'Dead letters by error',
          description: 'Open ones. What a pause has set aside is among them as actor-paused.',
          unit: 'short',
          kind: 'graph',
          isStacked: true,
          targets: [{ expr: `max by (code) (${of('turnstile_dead_letters_open')})`, legend: '{{code}}' }],
        },
        {
          title: 'New dead letters',
          description: 'By the kind of the actor, or the service, and the error.',
          unit: 'short',
          kind: 'graph',
          isStacked: true,
          targets: [
            {
              expr: `sum by (kind, code) (increase(${of('turnstile_dead_letters_total')}[$__rate_interval]))`,
              legend: '{{kind}} {{code}}',
            },
          ],
        },
      ],
    },
  ],
}
