import type { StreamState } from '../engine/ports.ts'
import { duplicateWindowMs, type Headers } from './headers.ts'
import type { Stored } from './wire.ts'

/**
 * A stream in memory. Its messages lie in lanes, by the third word of their subject: the partition of a command, the
 * service of an effect.
 */
export class MemoryStream {
  #id: string
  /** How long a message id is remembered, so that a second message of this id is swallowed. */
  duplicateWindowMs = duplicateWindowMs
  /** When it holds so many it takes no more. */
  maxMessages = Number.POSITIVE_INFINITY
  readonly nowMs: () => number
  readonly #lanes = new Map<string, Stored[]>()
  /** When each message id came last. Oldest first. */
  readonly #ids = new Map<string, number>()
  readonly #lossListeners = new Set<() => void>()
  readonly #listeners = new Set<(lane: string, message: Stored) => void>()
  #sequence = 0
  #size = 0
  #lives = 0

  constructor(nowMs: () => number) {
    this.nowMs = nowMs
    this.#id = this.#name()
  }

  get state(): StreamState {
    return { id: this.#id, lastSequence: this.#sequence }
  }

  /** Nothing when it is full. */
  append(subject: string, headers: Headers, payload: Uint8Array): { duplicate: boolean } | undefined {
    const at = this.nowMs()
    const messageId = headers['Nats-Msg-Id']
    this.#forgetIds(at)
    if (messageId && this.#ids.has(messageId)) return { duplicate: true }
    if (this.#size >= this.maxMessages) return undefined
    if (messageId) this.#ids.set(messageId, at)

    const message: Stored = { subject, headers, payload, sequence: ++this.#sequence, at }
    const lane = subject.split('.')[2] ?? ''
    this.#lane(lane).push(message)
    this.#size += 1
    for (const listener of this.#listeners) listener(lane, message)
    return { duplicate: false }
  }

  /** All that it holds, in its order. */
  get messages(): Stored[] {
    return [...this.#lanes.values()].flat().sort((a, b) => a.sequence - b.sequence)
  }

  /** Loses its end, as a server does after a power cut. */
  loseAfter(sequence: number): void {
    this.#removeAll((message) => message.sequence > sequence)
    this.#sequence = sequence
    this.#ids.clear()
    for (const listener of this.#lossListeners) listener()
  }

  /** Is deleted, and made anew. */
  wipe(): void {
    this.#id = this.#name()
    this.loseAfter(0)
  }

  /** What follows the sequence, at most so many, and how many follow them. */
  after(lane: string, sequence: number, max: number): { messages: Stored[]; left: number } {
    const all = this.#lane(lane)
    const first = all.findLastIndex((message) => message.sequence <= sequence) + 1
    const messages = all.slice(first, first + max)
    return { messages, left: all.length - first - messages.length }
  }

  remove(lane: string, isOver: (message: Stored) => boolean): void {
    const all = this.#lane(lane)
    const kept = all.filter((message) => !isOver(message))
    this.#size -= all.length - kept.length
    this.#lanes.set(lane, kept)
  }

  /** Forgets its beginning, and never its last message. */
  purge(sequence: number): void {
    const last = this.messages.at(-1)?.sequence ?? 0
    this.#removeAll((message) => message.sequence < Math.min(sequence, last))
  }

  onLoss(listener: () => void): void {
    this.#lossListeners.add(listener)
  }

  onAppend(listener: (lane: string, message: Stored) => void): void {
    this.#listeners.add(listener)
  }

  #removeAll(isOver: (message: Stored) => boolean): void {
    for (const lane of this.#lanes.keys()) this.remove(lane, isOver)
  }

  #name(): string {
    return `memory ${++this.#lives} since ${this.nowMs()}`
  }

  #lane(name: string): Stored[] {
    const lane = this.#lanes.get(name) ?? []
    this.#lanes.set(name, lane)
    return lane
  }

  #forgetIds(nowMs: number): void {
    for (const [id, at] of this.#ids) {
      if (at > nowMs - this.duplicateWindowMs) break
      this.#ids.delete(id)
    }
  }
}
