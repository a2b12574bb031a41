import type { Log, Reads } from '../engine/ports.ts'

const everyMs = 500
/** Until there is a worker, as at every start of all roles in one process. */
const everyMsWithoutWorkers = 50
const deadlineMs = 2_000

/**
 * Asks the database twice a second how it is, so that a request need not find out by hanging; oftener while no worker is
 * alive, so that the first one need not wait for its requests. It counts as down until it has answered once, and from the
 * first answer that is late or an error.
 */
export class DatabaseHealth {
  readonly #reads: Pick<Reads, 'health'>
  readonly #log: Log
  #isUp = false
  #lag = 0
  #workers = 0
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(reads: Pick<Reads, 'health'>, log: Log) {
    this.#reads = reads
    this.#log = log
  }

  get isUp(): boolean {
    return this.#isUp
  }

  /** How many messages wait in all mailboxes, as the workers reported it to the database. */
  get lag(): number {
    return this.#lag
  }

  /** How many workers are alive, as the database saw it. */
  get workers(): number {
    return this.#workers
  }

  /** Resolves after the first look, whatever it found. */
  async watch(): Promise<void> {
    try {
      const { lag, workers } = await withDeadline(this.#reads.health())
      this.#lag = lag
      this.#workers = workers
      this.#note(true)
    } catch (error) {
      this.#note(false, error)
    }
    const pauseMs = this.#isUp && this.#workers === 0 ? everyMsWithoutWorkers : everyMs
    if (!this.#isClosed) this.#timer = setTimeout(() => void this.watch(), pauseMs)
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
  }

  #note(isUp: boolean, error?: unknown): void {
    if (isUp !== this.#isUp) {
      if (isUp) this.#log.info({}, 'the database answers; requests are taken')
      else this.#log.warn({ err: error }, 'the database does not answer; requests get 503 until it does')
    }
    this.#isUp = isUp
  }
}

function withDeadline<T>(promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${deadlineMs} ms`)), deadlineMs)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
