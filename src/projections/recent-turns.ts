import type { TurnRecord } from '../engine/ports.ts'
import type { JournaledEvents, LiveProjections, Stretch } from '../engine/read-model-ports.ts'

/** Two seconds of a worker that does all it can. With more than this a partition's are forgotten when it has another one. */
const maxTurns = 20_000

/** Turns of one partition without a gap, the first of them at `after + 1`. One without events has its place only. */
type Run = { after: number; turns: (JournaledEvents | undefined)[] }

/**
 * The turns that this process has just committed, until its own projector has seen them: it need not read back as JSON what
 * was here in memory. Nothing rests on it. Where the projector stands, the database says, and what is not here it reads from
 * the journal: turns of other processes, and of times when another one keeps the read models.
 */
export class RecentTurns {
  /** By partition. */
  readonly #runs = new Map<number, Run>()
  #count = 0
  /** Whether the projector of this process leads. */
  #isWanted = false

  /** Keeps what has been committed. */
  note(turns: TurnRecord[]): void {
    if (!this.#isWanted) return
    for (const { partition, position, kind, actorId, version, at, decision } of turns) {
      let run = this.#runs.get(partition)
      // Another process had the partition in between, or nobody knows what became of a commit.
      const isGap = run && run.after + run.turns.length + 1 !== position
      if (!run || isGap || this.#count >= maxTurns) run = this.#begin(partition, position - 1)
      const { events } = decision
      run.turns.push(events && { partition, position, kind, actorId, version, at, events })
      this.#count += 1
    }
  }

  /** The read models with a journal of which the latest turns are here. */
  before(store: LiveProjections): LiveProjections {
    return {
      ...store,
      lead: async () => {
        this.#isWanted = await store.lead()
        if (!this.#isWanted) this.#forget()
        return this.#isWanted
      },
      readEvents: async (stretches, kinds) => {
        const taken = stretches.map((stretch) => this.#take(stretch))
        const missing = stretches.filter((_, index) => taken[index] === undefined)
        const read = missing.length > 0 ? await store.readEvents(missing, kinds) : []
        const here = taken.flatMap((turns) => turns?.filter(({ kind }) => kinds.includes(kind)) ?? [])
        if (read.length === 0) return here
        return [...read, ...here].sort((a, b) => a.partition - b.partition || a.position - b.position)
      },
    }
  }

  /** The stretch's turns that have events, if all of it is here. What lies before its end is forgotten. */
  #take({ partition, after, upTo }: Stretch): JournaledEvents[] | undefined {
    const run = this.#runs.get(partition)
    if (!run) return undefined
    const first = after - run.after
    const end = Math.min(upTo - run.after, run.turns.length)
    const isHere = first >= 0 && run.after + end === upTo
    const passed = end > 0 ? run.turns.splice(0, end) : []
    run.after += passed.length
    this.#count -= passed.length
    return isHere ? passed.slice(first).flatMap((turn) => turn ?? []) : undefined
  }

  #begin(partition: number, after: number): Run {
    this.#count -= this.#runs.get(partition)?.turns.length ?? 0
    const run = { after, turns: [] }
    this.#runs.set(partition, run)
    return run
  }

  #forget(): void {
    this.#runs.clear()
    this.#count = 0
  }
}
