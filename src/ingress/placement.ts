import { fnv1a, partitionOf } from '../actor/ids.ts'

/** Above that, what one worker does for a show would hold up its bookings. */
const mostPerSecond = 200
/** What is asked for beside so many others in one second is spread. */
const mostCounted = 10_000
const varied = 3
const variants = 16 ** varied

/**
 * Gives a new actor an id in the partition of the one that it deals with first, so that their turns share one commit,
 * whoever owns the partition. What many deal with is left alone: its new actors are spread over all partitions.
 *
 * @param now milliseconds
 */
export function createPlacement(partitions: number, now: () => number = performance.now.bind(performance)) {
  let second = 0
  const asked = new Map<string, number>()

  function isHot(id: string): boolean {
    const current = Math.floor(now() / 1_000)
    if (current !== second) asked.clear()
    second = current
    const count = asked.get(id) ?? 0
    if (count >= mostPerSecond || (count === 0 && asked.size >= mostCounted)) return true
    asked.set(id, count + 1)
    return false
  }

  /** @param id random; its last digits give way */
  return (id: string, near: string): string =>
    isHot(near) ? id : placed(id, partitionOf(near, partitions), partitions)
}

/** From the digits that are there upwards, so that they stay as random as they can. */
function placed(id: string, partition: number, partitions: number): string {
  const start = id.slice(0, -varied)
  const hash = fnv1a(start)
  const own = Number.parseInt(id.slice(-varied), 16)
  for (let i = 0; i < variants; i++) {
    const digits = ((own + i) % variants).toString(16).padStart(varied, '0')
    if (fnv1a(digits, hash) % partitions === partition) return start + digits
  }
  return id
}
