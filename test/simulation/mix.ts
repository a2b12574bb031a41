import type { StreamName } from '../../src/engine/ports.ts'
import type { Rates } from './faults.ts'
import type { Random } from './random.ts'

/** What a seed makes of the world: how large it is, and what goes wrong in it how often. */
export type Mix = {
  workers: number
  partitions: number
  leaseMs: number
  batchMessages: number
  cachedActors: number
  bookingMs: number
  bundleStepMs: number
  /** How long the broker remembers message ids, and how long it waits for word of an effect. */
  duplicateWindowMs: number
  ackWaitMs: number
  shows: number
  bookings: number
  bundles: number
  /** Messages from outside that nobody can handle. */
  nonsense: number
  /** For so long things go wrong. */
  stormMs: number
  /** Within this clients come: all at once, or throughout the storm. */
  rushMs: number
  rates: Rates
  /** How often things happen that have no rate, in the whole storm. */
  pauses: number
  stops: number
  /** What operators hold back for a while. */
  holds: number
  databaseOutages: number
  brokerOutages: number
  serviceOutages: number
  brokenReadings: number
  fullMailboxes: number
  /** Streams that the broker loses, all at once. */
  wipes: StreamName[]
  /** Whether the lock that lets one projector lead holds nobody back. */
  everybodyLeads: boolean
  hasHopelessCall: boolean
  /** Of a bundle's calls one fails for longer than anybody waits. */
  hasLateJourney: boolean
}

const everyStream: StreamName[] = ['mailbox', 'effects', 'events']

export function drawMix(random: Random): Mix {
  const mix = draw(random)
  // A quarter of an hour, in which the idle workers would cost more than a hundred other seeds.
  return mix.hasHopelessCall ? { ...mix, workers: 1 } : mix
}

function draw(random: Random): Mix {
  const stormMs = random.between(2_000, 6_000)
  // Some seeds are spared a kind of fault, others get a lot of it, so that no kind hides another.
  const rate = (most: number): number => (random.chance(0.4) ? 0 : most * random.fraction() ** 2)
  const some = (most: number): number => (random.chance(0.5) ? 0 : random.between(1, most))
  return {
    workers: random.between(1, 4),
    partitions: random.pick([1, 2, 4, 8]),
    leaseMs: random.pick([1_000, 2_000]),
    batchMessages: random.pick([1, 3, 10, 100]),
    cachedActors: random.pick([1, 5, 1_000]),
    bookingMs: random.between(2_000, 12_000),
    bundleStepMs: random.between(2_000, 12_000),
    duplicateWindowMs: random.pick([1, 500, 120_000]),
    ackWaitMs: random.pick([1_000, 5_000, 16_000]),
    shows: random.between(1, 2),
    bookings: random.between(1, 6),
    bundles: random.between(0, 2),
    nonsense: random.chance(0.2) ? random.between(10, 20) : some(3),
    stormMs,
    rushMs: random.chance(0.3) ? random.between(10, 100) : stormMs,
    rates: {
      crash: rate(0.02),
      slow: rate(0.1),
      cut: rate(0.05),
      silence: rate(0.01),
      late: random.fraction(),
      lost: rate(0.1),
      dropped: rate(0.2),
      callFailed: rate(0.3),
      callHung: rate(0.05),
      callRefused: rate(0.1),
      journeyRefused: rate(0.5),
      slowAppend: random.chance(0.1) ? 0.5 : 0,
    },
    pauses: some(2),
    stops: some(2),
    holds: some(3),
    databaseOutages: some(2),
    brokerOutages: some(2),
    serviceOutages: some(2),
    brokenReadings: some(4),
    fullMailboxes: random.chance(0.2) ? 1 : 0,
    wipes: random.chance(0.25) ? random.pick<StreamName[]>([['mailbox'], ['effects'], ['events'], everyStream]) : [],
    everybodyLeads: random.chance(0.15),
    hasHopelessCall: random.chance(0.005),
    hasLateJourney: random.chance(0.15),
  }
}
