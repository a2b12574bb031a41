import type { Requests } from '../engine/ports.ts'
import type { Asker } from './asker.ts'
import type { DatabaseHealth } from './health.ts'
import type { PendingLimit } from './pending-limit.ts'
import { Problem } from './problems.ts'

/** Why a command is not taken. Of each kind the detail is the same every time. */
export type Refusal = { code: 'unavailable' | 'overloaded'; detail: string }

/** Says no at once to what could not be done in time. */
export class Admission {
  readonly #requests: Requests
  readonly #health: DatabaseHealth
  readonly #asker: Asker
  readonly #limit: PendingLimit
  readonly #maxLag: number

  /** @param maxLag how many messages may wait in all mailboxes */
  constructor(requests: Requests, health: DatabaseHealth, asker: Asker, limit: PendingLimit, maxLag: number) {
    this.#requests = requests
    this.#health = health
    this.#asker = asker
    this.#limit = limit
    this.#maxLag = maxLag
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
   * Why no command is taken now; nothing when all is well. A batch is as welcome as a single command: were each of its
   * commands counted, a large one would never find room while others wait.
   */
  refusal(): Refusal | undefined {
    const standstill = this.standstill()
    if (standstill !== undefined) return { code: 'unavailable', detail: standstill }
    if (this.#health.lag > this.#maxLag) {
      return { code: 'overloaded', detail: 'too many messages are waiting in the mailboxes already' }
    }
    if (this.#asker.waiting >= this.#limit.current) {
      return { code: 'overloaded', detail: 'too many commands are waiting here for their answers already' }
    }
    return undefined
  }

  /** @throws `unavailable` or `overloaded` */
  checkCommands(): void {
    const refusal = this.refusal()
    if (refusal) throw new Problem(refusal.code, refusal.detail)
  }

  /** @throws `unavailable` */
  checkQuery(): void {
    if (!this.#health.isUp) throw new Problem('unavailable', 'the database does not answer')
  }
}
