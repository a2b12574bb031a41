import type { StandingPause } from '../store/inspection.ts'
import { type CheckName, checkNames } from './checks.ts'

/** One place where something is not as it must be. */
export type Difference = {
  where: string
  expected: string
  found: string
  /** The command that shows it. */
  look?: string
}

export type Verdict = { looked: number; differences: number; first?: Difference }

/** What was sent or called for and has not been taken, without anything being wrong. */
export type Waiting = { count: number; oldestMs: number }

/** What has been looked at and found so far. Of each check the first difference is kept and the others are counted. */
export class Findings {
  readonly verdicts: Record<CheckName, Verdict>
  readonly waiting: Record<'sends' | 'calls', Waiting> = {
    sends: { count: 0, oldestMs: 0 },
    calls: { count: 0, oldestMs: 0 },
  }
  /** By how many turns read models lag behind the journal. */
  readonly lags = new Map<string, number>()
  /** What is paused for longer than the grace time. */
  paused: StandingPause[] = []
  /** Sends and calls that are dead letters. */
  deadLetters = 0
  /** How many of the turns lie in files of the archive. */
  archived = 0
  /** Sends of journals up to 0.1.0 that joined their batch: where to was not written down. */
  unnamed = 0

  constructor() {
    this.verdicts = Object.fromEntries(checkNames.map((name) => [name, { looked: 0, differences: 0 }])) as Record<
      CheckName,
      Verdict
    >
  }

  get isClean(): boolean {
    return checkNames.every((name) => this.verdicts[name].differences === 0)
  }

  look(check: CheckName, count = 1): void {
    this.verdicts[check].looked += count
  }

  differ(check: CheckName, difference: Difference): void {
    const verdict = this.verdicts[check]
    verdict.differences += 1
    verdict.first ??= difference
  }

  lag(readModel: string, turns: number): void {
    if (turns > 0) this.lags.set(readModel, (this.lags.get(readModel) ?? 0) + turns)
  }

  wait(check: 'sends' | 'calls', ms: number): void {
    const waiting = this.waiting[check]
    waiting.count += 1
    waiting.oldestMs = Math.max(waiting.oldestMs, ms)
  }
}
