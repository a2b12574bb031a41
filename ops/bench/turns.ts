import { setTimeout as sleep } from 'node:timers/promises'
import type postgres from 'postgres'

const pollMs = 20
/** After so long without a turn none will come. */
const patienceMs = 30_000

/** How many turns there have been, ever. */
export async function countTurns(sql: postgres.Sql): Promise<number> {
  const [row] = await sql<{ turns: string }[]>`select sum(head) as turns from partition`
  return Number(row?.turns)
}

/**
 * Waits until there have been so many turns.
 *
 * @throws when they stop coming before
 */
export async function untilTurns(sql: postgres.Sql, wanted: number): Promise<void> {
  let [seen, seenAtMs] = [-1, 0]
  for (;;) {
    const turns = await countTurns(sql)
    if (turns >= wanted) return
    if (turns > seen) [seen, seenAtMs] = [turns, performance.now()]
    if (performance.now() - seenAtMs > patienceMs) throw new Error(`${turns} turns, and none since, of ${wanted}`)
    await sleep(pollMs)
  }
}
