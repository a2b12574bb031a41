import type { Run } from './figures.ts'

/** What is measured together, because it is compared: in turns, so that a ratio holds on a noisy machine. */
export type Workload = {
  /** What a user may choose of it. */
  names: readonly string[]
  /** Measured only when it is asked for by name: it is about the bench itself. */
  isExtra?: true
  /** @param names those that were chosen */
  run(bench: Bench, names: string[]): Promise<Run[]>
}

export type Bench = {
  size: Size
  /** For Node itself when it runs a daemon. */
  nodeArgs: string[]
  progress(line: string): void
}

/** How much is done; all seconds are whole. */
export type Size = {
  rounds: number
  /** Keep-alive connections of the rush. */
  connections: number[]
  warmUpSeconds: number
  seconds: number
  /** The one long look at a high rate. */
  longSeconds: number
  commands: number
  bookingsOfLife: number
  /** What the tables hold when their size is tried. */
  turns: number
  actors: number
}

export const fullSize: Size = {
  rounds: 3,
  connections: [64, 256],
  warmUpSeconds: 2,
  seconds: 8,
  longSeconds: 60,
  commands: 200_000,
  bookingsOfLife: 3_000,
  turns: 10_000_000,
  actors: 1_000_000,
}

/** Enough to see that it works. */
export const quickSize: Size = {
  rounds: 1,
  connections: [64],
  warmUpSeconds: 0,
  seconds: 1,
  longSeconds: 1,
  commands: 10_000,
  bookingsOfLife: 50,
  turns: 10_000,
  actors: 1_000,
}

/** Seats that no workload sells out. */
export const manySeats = 10_000_000
