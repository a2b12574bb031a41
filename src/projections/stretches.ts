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

/**
 * Cuts what lags into slices of about as many turns each. A partition is in one of them with all that lags there: however
 * many slices there are, its positions are written once.
 */
export function slicesOf(lags: Lag[], count: number): Lag[][] {
  const lacking = new Map<number, number>()
  for (const { partition, position, head } of lags) {
    lacking.set(partition, Math.max(lacking.get(partition) ?? 0, head - position))
  }
  const total = [...lacking.values()].reduce((sum, turns) => sum + turns, 0)
  const sliceOf = new Map<number, number>()
  let before = 0
  for (const [partition, turns] of lacking) {
    sliceOf.set(partition, Math.floor((before * count) / total))
    before += turns
  }
  const slices = Array.from({ length: count }, (_, index) => {
    return lags.filter(({ partition }) => sliceOf.get(partition) === index)
  })
  return slices.filter((slice) => slice.length > 0)
}
