const firstMs = 200
const maxMs = 60_000

/** After so many the effect becomes a dead letter. With the pauses between them that takes about a quarter of an hour. */
export const maxAttempts = 20

/**
 * The pause after this many attempts: doubled each time up to a minute, and between half and all of that by chance, so
 * that those who failed together do not come back together.
 *
 * @param random 0 to 1
 */
export function backoffMs(attempts: number, random: number): number {
  const pauseMs = Math.min(firstMs * 2 ** (attempts - 1), maxMs)
  return Math.round(pauseMs * (0.5 + random / 2))
}
