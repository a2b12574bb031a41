/** Workers as queues: bookings that arrive by chance, and batches that are committed. Everything comes from the seed. */

export type QueueOptions = {
  seed: number
  workers: number
  partitions: number
  shows: number
  /** How popular shows are: the n-th sells in proportion to 1 / n to this power; 0 is all alike. */
  skew: number
  perSecond: number
  seconds: number
  batchMessages: number
  /** What each turn takes of its worker's time. */
  turnMs: number
  /** What a commit takes after the last turn of its batch; meanwhile its worker goes on. */
  commitMs: number
  /** How many commits of a worker may be under way. */
  commits: number
  /** What a worker waits after it has taken a batch that was not full, before it takes the next. */
  restMs: number
}

export type QueueResult = {
  bookings: number
  p50Ms: number
  p99Ms: number
  /** What the turns took of the time in which bookings came, of all workers and of the busiest: past 1 one falls behind. */
  meanUse: number
  busiestUse: number
}

type Booking = { arrivedMs: number; own: number; show: number; turnsLeft: number }

type Worker = { queue: Booking[]; busyMs: number; isAtWork: boolean; isResting: boolean; commitsUnderWay: number }

/** Booking, show, booking: a turn each. */
const turnsABooking = 3

/**
 * Every booking has a turn of its own, one of its show, and one of its own again. What follows on the same worker joins the
 * batch; what follows on another waits there like all others. It runs until the last booking is made.
 */
export function simulateQueues(options: QueueOptions): QueueResult {
  const { seed, workers: count, perSecond, seconds, batchMessages, turnMs, commitMs, commits, restMs } = options
  const random = randomOf(seed)
  const places = placesOf(options, random)
  const workers: Worker[] = Array.from({ length: count }, () => ({
    queue: [],
    busyMs: 0,
    isAtWork: false,
    isResting: false,
    commitsUnderWay: 0,
  }))
  const latencies: number[] = []
  const events = new EventQueue()
  const total = Math.round(perSecond * seconds)

  const begin = (worker: Worker, nowMs: number): void => {
    const isBusy = worker.isAtWork || worker.isResting || worker.commitsUnderWay === commits
    if (isBusy || worker.queue.length === 0) return
    worker.isAtWork = true
    const batch = worker.queue.splice(0, batchMessages)
    if (batch.length < batchMessages) rest(worker, nowMs)
    let turns = 0
    for (const booking of batch) turns += stayOf(booking, worker, workers)
    worker.busyMs += turns * turnMs
    events.add(nowMs + turns * turnMs, (atMs) => {
      worker.isAtWork = false
      worker.commitsUnderWay += 1
      events.add(atMs + commitMs, (atMs) => tell(worker, batch, atMs))
      begin(worker, atMs)
    })
  }
  const rest = (worker: Worker, nowMs: number): void => {
    worker.isResting = true
    events.add(nowMs + restMs, (atMs) => {
      worker.isResting = false
      begin(worker, atMs)
    })
  }
  const tell = (worker: Worker, batch: Booking[], nowMs: number): void => {
    worker.commitsUnderWay -= 1
    for (const booking of batch) {
      if (booking.turnsLeft === 0) {
        latencies.push(nowMs - booking.arrivedMs)
        continue
      }
      const next = workers[placeOf(booking)] as Worker
      next.queue.push(booking)
      begin(next, nowMs)
    }
    begin(worker, nowMs)
  }
  const arrive = (index: number, nowMs: number): void => {
    const booking = { arrivedMs: nowMs, own: Math.floor(random() * count), show: places(), turnsLeft: turnsABooking }
    const worker = workers[booking.own] as Worker
    worker.queue.push(booking)
    begin(worker, nowMs)
    if (index < total) events.add(nowMs - (Math.log(1 - random()) * 1_000) / perSecond, (at) => arrive(index + 1, at))
  }
  events.add(0, (at) => arrive(1, at))
  events.run()

  const sorted = Float64Array.from(latencies).sort()
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  const use = workers.map(({ busyMs }) => busyMs / 1_000 / seconds)
  return {
    bookings: latencies.length,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    meanUse: use.reduce((sum, one) => sum + one, 0) / count,
    busiestUse: Math.max(...use),
  }
}

/** Takes as many of a booking's turns as this worker has in a row. */
function stayOf(booking: Booking, worker: Worker, workers: Worker[]): number {
  let turns = 0
  while (booking.turnsLeft > 0 && workers[placeOf(booking)] === worker) {
    booking.turnsLeft -= 1
    turns += 1
  }
  return turns
}

/** The worker that has the next turn. */
const placeOf = ({ own, show, turnsLeft }: Booking): number => (turnsLeft === 2 ? show : own)

/** Draws shows by how popular they are, and says whose they are: partitions by chance, workers by partitions in turn. */
function placesOf({ shows, skew, partitions, workers }: QueueOptions, random: () => number): () => number {
  const owners = Array.from({ length: shows }, () => Math.floor(random() * partitions) % workers)
  const weights = owners.map((_, index) => 1 / (index + 1) ** skew)
  const sums: number[] = []
  for (const weight of weights) sums.push((sums.at(-1) ?? 0) + weight)
  return () => {
    const wanted = random() * (sums.at(-1) ?? 0)
    let [low, high] = [0, sums.length - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((sums[middle] ?? 0) < wanted) low = middle + 1
      else high = middle
    }
    return owners[low] ?? 0
  }
}

type Event = { atMs: number; order: number; happen: (atMs: number) => void }

/** A binary heap: the earliest first, and of the same time the one that was added first. */
class EventQueue {
  readonly #heap: Event[] = []
  #added = 0

  add(atMs: number, happen: (atMs: number) => void): void {
    const heap = this.#heap
    heap.push({ atMs, order: this.#added++, happen })
    for (let index = heap.length - 1; index > 0; ) {
      const parent = (index - 1) >> 1
      if (!this.#isEarlier(index, parent)) break
      this.#swap(index, parent)
      index = parent
    }
  }

  /** Lets everything happen, and what comes of it. */
  run(): void {
    for (let next = this.#shift(); next; next = this.#shift()) next.happen(next.atMs)
  }

  #shift(): Event | undefined {
    const heap = this.#heap
    if (heap.length <= 1) return heap.pop()
    this.#swap(0, heap.length - 1)
    const first = heap.pop()
    for (let index = 0; ; ) {
      const [left, right] = [2 * index + 1, 2 * index + 2]
      if (left >= heap.length) break
      const child = right < heap.length && this.#isEarlier(right, left) ? right : left
      if (!this.#isEarlier(child, index)) break
      this.#swap(child, index)
      index = child
    }
    return first
  }

  #isEarlier(a: number, b: number): boolean {
    const [one, other] = [this.#heap[a] as Event, this.#heap[b] as Event]
    return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order)
  }

  #swap(a: number, b: number): void {
    const heap = this.#heap
    ;[heap[a], heap[b]] = [heap[b] as Event, heap[a] as Event]
  }
}

/** Mulberry32: 0 to 1, the same row of numbers for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
