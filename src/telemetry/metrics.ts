import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { commandsByKind, services } from '../../schemas/index.ts'
import type { Census, Observer } from '../engine/ports.ts'
import type { ProjectionObserver } from '../engine/read-model-ports.ts'
import { createCensusGauges } from './census.ts'
import { createMailboxGauges } from './mailboxes.ts'
import { createSales } from './sales.ts'
import { createTurnCounter } from './turns.ts'

export type Metrics = {
  registry: Registry
  /** What the engine, the effect workers and the projector report to. */
  observer: Observer & ProjectionObserver
  /** One answered request. `route` is the pattern, not the path: there must not be a series for every booking. */
  httpRequest(route: string, method: string, status: number, seconds: number): void
  /** How many commands may wait for their answers in this process now. */
  pendingLimit(commands: number): void
  /** How many clients listen to events now. */
  listeners(count: number): void
  /** How many calls of an external service are not done. */
  effectsLag(service: string, messages: number): void
  /** What was counted over the whole record. */
  census(census: Census): void
  /** What the process needs, by name, and how to find out whether it can be reached: asked whenever somebody looks. */
  dependencies(areReachable: Record<string, () => boolean>): void
}

/** Who can have a dead letter, by its own name. A publisher may make up others, and there must not be a series for each. */
const addressees = new Set<string>([...Object.keys(commandsByKind), ...services])

const batchBuckets = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000]
const secondsBuckets = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5]

/** The figures of one process, in a registry of its own. */
export function createMetrics(): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })

  const countTurns = createTurnCounter(registers)
  const commits = new Histogram({
    name: 'turnstile_commit_seconds',
    help: 'Time that a commit took',
    buckets: secondsBuckets,
    registers,
  })
  const batches = new Histogram({
    name: 'turnstile_batch_messages',
    help: 'Messages in a commit',
    buckets: batchBuckets,
    registers,
  })
  const calls = new Histogram({
    name: 'turnstile_service_call_seconds',
    help: 'Time that a call of an external service took, by what came of it: done, refused, or temporary',
    labelNames: ['service', 'outcome'] as const,
    buckets: [...secondsBuckets, 10],
    registers,
  })
  const effectsLag = new Gauge({
    name: 'turnstile_effects_lag_messages',
    help: 'Calls of an external service that are not done: in its queue, and in the hands of all processes',
    labelNames: ['service'] as const,
    registers,
  })
  const circuits = new Gauge({
    name: 'turnstile_service_circuit_open',
    help: '1 while the calls of an external service wait because it has failed too often, else 0',
    labelNames: ['service'] as const,
    registers,
  })
  const countSales = createSales(registers)
  const duplicates = new Counter({
    name: 'turnstile_duplicates_total',
    help: 'Messages that had their turn before',
    registers,
  })
  const fenceLosses = new Counter({
    name: 'turnstile_fence_losses_total',
    help: 'Partitions found to have another owner at a commit',
    registers,
  })
  const deadLetters = new Counter({
    name: 'turnstile_dead_letters_total',
    help: 'Messages and effects that nobody could handle, by the kind of the actor or the service',
    labelNames: ['kind', 'code'] as const,
    registers,
  })
  const alarmsFired = new Counter({
    name: 'turnstile_alarms_fired_total',
    help: 'Alarms that had their turn',
    registers,
  })
  const alarmsArmed = new Gauge({
    name: 'turnstile_alarms_armed',
    help: 'Alarms that are set at the actors of this process',
    registers,
  })
  const alarmsOverdue = new Gauge({
    name: 'turnstile_alarms_overdue',
    help: 'Alarms of this process that wait for more than a second for their turn, 500 at most',
    registers,
  })
  const alarmsOldest = new Gauge({
    name: 'turnstile_alarms_oldest_seconds',
    help: 'How long the first of the alarms that have gone off waits for its turn',
    registers,
  })
  const streamLosses = new Counter({
    name: 'turnstile_stream_losses_total',
    help: 'Times that a stream of the broker was found to have lost what it had stored',
    labelNames: ['stream'] as const,
    registers,
  })
  const redriven = new Counter({
    name: 'turnstile_redriven_total',
    help: 'Sends, calls and events that the broker had lost, and that were published again',
    labelNames: ['what'] as const,
    registers,
  })
  const mailboxes = createMailboxGauges(registers)
  const takeovers = new Counter({
    name: 'turnstile_takeovers_total',
    help: 'Partitions that this process took: free ones, and ones whose owner had let its lease expire',
    labelNames: ['from'] as const,
    registers,
  })
  const untold = new Gauge({
    name: 'turnstile_outbox_messages',
    help: 'Sends, calls and events of committed turns that the broker has not stored yet',
    registers,
  })
  const untoldOldest = new Gauge({
    name: 'turnstile_outbox_oldest_seconds',
    help: 'How long the oldest turn waits for the broker to store what it tells',
    registers,
  })
  const paused = new Gauge({
    name: 'turnstile_paused',
    help: 'Actors, kinds and services that are paused, as far as this process has heard',
    labelNames: ['target'] as const,
    registers,
  })
  const projectionLag = new Gauge({
    name: 'turnstile_projection_lag_turns',
    help: 'Turns that a read model lags behind the journal',
    labelNames: ['projection'] as const,
    registers,
  })
  const requests = new Histogram({
    name: 'turnstile_http_request_seconds',
    help: 'Time from the end of the headers to the end of the answer',
    labelNames: ['route', 'method', 'status'] as const,
    buckets: secondsBuckets,
    registers,
  })

  const pendingLimit = new Gauge({
    name: 'turnstile_http_pending_limit',
    help: 'Commands that may wait for their answers in this process; it falls while they wait for too long',
    registers,
  })
  const listeners = new Gauge({
    name: 'turnstile_listeners',
    help: 'Clients that listen to events',
    registers,
  })
  // Whoever asks for the `increase` of a series does not see the rise with which it appears.
  for (const stream of ['mailbox', 'effects', 'events'] as const) streamLosses.inc({ stream }, 0)
  for (const what of ['sends', 'calls', 'events'] as const) redriven.inc({ what }, 0)
  for (const from of ['free', 'expired'] as const) takeovers.inc({ from }, 0)
  const census = createCensusGauges(registers)
  let dependencies: Record<string, () => boolean> = {}
  new Gauge({
    name: 'turnstile_dependency_up',
    help: '1 while this process can reach it, else 0: postgres, nats',
    labelNames: ['dependency'] as const,
    registers,
    collect() {
      for (const [dependency, isUp] of Object.entries(dependencies)) this.set({ dependency }, isUp() ? 1 : 0)
    },
  })

  return {
    registry,
    observer: {
      committed(commit, messages, durationMs) {
        countTurns(commit.turns)
        countSales(commit)
        batches.observe(messages)
        commits.observe(durationMs / 1_000)
      },
      called: (service, outcome, durationMs) => calls.observe({ service, outcome }, durationMs / 1_000),
      circuit: (service, isOpen) => circuits.set({ service }, isOpen ? 1 : 0),
      duplicates: (count) => duplicates.inc(count),
      fenced: (partitions) => fenceLosses.inc(partitions),
      deadLetter: (kind, code) => deadLetters.inc({ kind: addressees.has(kind) ? kind : 'other', code }),
      alarmsFired: (count) => alarmsFired.inc(count),
      alarmsArmed: (count) => alarmsArmed.set(count),
      alarmsDue(overdue, oldestMs) {
        alarmsOverdue.set(overdue)
        alarmsOldest.set(oldestMs / 1_000)
      },
      streamLost: (stream) => streamLosses.inc({ stream }),
      redriven: (what, count) => redriven.inc({ what }, count),
      mailboxes,
      took(free, expired) {
        takeovers.inc({ from: 'free' }, free)
        takeovers.inc({ from: 'expired' }, expired)
      },
      untold(messages, oldestMs) {
        untold.set(messages)
        untoldOldest.set(oldestMs / 1_000)
      },
      paused: (target, count) => paused.set({ target }, count),
      projectionLag: (projection, turns) => projectionLag.set({ projection }, turns),
    },
    httpRequest: (route, method, status, seconds) => requests.observe({ route, method, status }, seconds),
    pendingLimit: (commands) => pendingLimit.set(commands),
    listeners: (count) => listeners.set(count),
    effectsLag: (service, messages) => effectsLag.set({ service }, messages),
    census,
    dependencies: (areReachable) => (dependencies = areReachable),
  }
}
