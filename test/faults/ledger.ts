import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { type Answer, request, withKey } from '../../ops/http.ts'
import type { Kind } from '../../schemas/index.ts'

/** What a request asks of which actors, as the journal must have it: so many turns of this name, and no more. */
export type Command = { kind: Kind; type: string; turns: number }

export type Entry = {
  /** Of this request alone: all turns that follow from it bear it. */
  correlationId: string
  path: string
  command: Command
  answer: Answer<unknown>
}

type Question = { method: 'POST' | 'PUT'; path: string; body?: object; command: Command }

/** All that was asked for and answered. Nobody gives up before there is an answer, so nothing is left open. */
export class Ledger {
  readonly entries: Entry[] = []
  readonly bookings: string[] = []
  readonly bundles: { id: string; booking: string }[] = []
  /** Why there was no answer, and how often. */
  readonly failures: Record<string, number> = {}
  /** Answers that were not those of the first time. */
  readonly contradictions: string[] = []
  readonly #url: string

  constructor(url: string) {
    this.#url = url
  }

  /** @param isAskedTwice asks once more for what it has got an answer to */
  async ask<T>({ method, path, body, command }: Question, isAskedTwice: boolean): Promise<Answer<T>> {
    const correlationId = randomUUID()
    const headers = { ...withKey(randomUUID()), 'Correlation-ID': correlationId }
    const ask = () =>
      request<T>(`${this.#url}${path}`, { method, headers, ...(body && { body }), onFailure: this.#fail })
    const answer = await ask()
    this.entries.push({ correlationId, path, command, answer })
    if (isAskedTwice) {
      const again = await ask()
      if (!isDeepStrictEqual(again, answer)) {
        this.contradictions.push(`${method} ${path}: ${JSON.stringify(answer)}, then ${JSON.stringify(again)}`)
      }
    }
    return answer
  }

  /** Reads. */
  async see<T>(path: string): Promise<T> {
    return (await request<T>(`${this.#url}${path}`, { onFailure: this.#fail })).body
  }

  readonly #fail = (cause: string): void => {
    this.failures[cause] = (this.failures[cause] ?? 0) + 1
  }
}
