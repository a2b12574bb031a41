import type { Lag, Stretch } from '../engine/read-model-ports.ts'

/**
 * What to read for read models that stand at different places of the journal, so that no turn is read twice: the stretch of
 * one that is behind ends where the next one stands.
 *
 * @param maxTurns how many turns there may be in all of them
 */
export function stretchesOf(lags: Lag[], maxTurns: number): Stretch[] {
  const places = new Map(lags.map((lag) => [`${lag.partition}/${lag.position}`, lag]))
  const most = Math.max(1, Math.floor(maxTurns / places.size))
  const sorted = [...places.values()].sort((a, b) => a.partition - b.partition || a.position - b.position)
  return sorted.map(({ partition, position, head }, index) => {
    const next = sorted[index + 1]
    const end = next?.partition === partition ? next.position : head
    return { partition, after: position, upTo: Math.min(end, position + most) }
  })
}

/** How far one that stands there gets with these stretches: to the first turn that is in none of them. */
export function reach({ partition, position }: Lag, stretches: Stretch[]): Stretch {
  const upTo = stretches.reduce((end, stretch) => {
    return stretch.partition === partition && stretch.after === end ? stretch.upTo : end
  }, position)
  return { partition, after: position, upTo }
}
