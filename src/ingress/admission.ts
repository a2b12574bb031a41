import type { Config } from '../config.ts'
import type { Requests } from '../engine/ports.ts'
import type { Asker } from './asker.ts'
import type { DatabaseHealth } from './health.ts'
import { Problem } from './problems.ts'

type Limits = Pick<Config, 'TURNSTILE_MAX_LAG' | 'TURNSTILE_MAX_PENDING_REQUESTS'>

/** Says no at once to what could not be done in time. */
export class Admission {
  readonly #requests: Requests
  readonly #health: DatabaseHealth
  readonly #asker: Asker
  readonly #limits: Limits

  constructor(requests: Requests, health: DatabaseHealth, asker: Asker, limits: Limits) {
    this.#requests = requests
    this.#health = health
    this.#asker = asker
    this.#limits = limits
  }

  /** What this process cannot reach; nothing when all is well. */
  outage(): string | undefined {
    if (!this.#health.isUp) return 'the database does not answer'
    if (!this.#requests.isConnected) return 'the broker is not connected'
    return undefined
  }

  /**
   * Why no command would be answered now; nothing when all is well. Without a worker it would wait in its mailbox, and be
   * carried out long after its client has given up.
   */
  standstill(): string | undefined {
    return this.outage() ?? (this.#health.workers === 0 ? 'no worker is alive' : undefined)
  }

  /**
   * Whether so many commands may be sent now. While nobody waits, a batch may be larger than the limit: it could never be
   * sent else.
   *
   * @throws `unavailable` or `overloaded`
   */
  checkCommands(count: number): void {
    const standstill = this.standstill()
    if (standstill !== undefined) throw new Problem('unavailable', standstill)
    if (this.#health.lag > this.#limits.TURNSTILE_MAX_LAG) {
      throw new Problem('overloaded', `${this.#health.lag} messages are waiting in the mailboxes already`)
    }
    const { waiting } = this.#asker
    if (waiting > 0 && waiting + count > this.#limits.TURNSTILE_MAX_PENDING_REQUESTS) {
      throw new Problem('overloaded', `${waiting} commands are waiting here for their answers already`)
    }
  }

  /** @throws `unavailable` */
  checkQuery(): void {
    if (!this.#health.isUp) throw new Problem('unavailable', 'the database does not answer')
  }
}
