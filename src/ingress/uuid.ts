import { randomUUID } from 'node:crypto'

/**
 * A generator of UUIDv7 (RFC 9562): 48 bits of time, a counter that keeps ids of one millisecond in order, and 62
 * random bits. Ids of one generator only ever rise, also when the clock is set back.
 *
 * @param now milliseconds since 1970
 */
export function createUuidGenerator(now: () => number = Date.now): () => string {
  let lastMs = 0
  let counter = 0
  return () => {
    const random = randomUUID()
    const ms = now()
    if (ms > lastMs) {
      lastMs = ms
      // Begins in the lower half, which leaves room for two thousand more ids within this millisecond.
      counter = Number.parseInt(random.slice(15, 18), 16) >> 1
    } else if (counter < 0xfff) {
      counter++
    } else {
      lastMs++
      counter = 0
    }
    const time = lastMs.toString(16).padStart(12, '0')
    const order = counter.toString(16).padStart(3, '0')
    return `${time.slice(0, 8)}-${time.slice(8)}-7${order}-${random.slice(19)}`
  }
}
