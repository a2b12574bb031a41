import type { z } from 'zod'
import type { CommandTo, Kind, requestsByService, Send, Service } from '../../schemas/index.ts'

/**
 * An external service, as its adapter describes it: for each request that an actor can make of it, the HTTP call and
 * the answers that settle it. Whatever is in neither list (a time-out, a reset, 408, 429, any 5xx, a body that does not
 * parse) is unknown or temporary, and is tried again with the same idempotency key. `K` is who asks, and is told.
 */
export type ServiceAdapter<S extends Service, K extends Kind> = {
  service: S
  /** How many calls one process makes at a time. */
  concurrency: number
  calls: CallsOf<(typeof requestsByService)[S], CommandTo<K>>
}

type CallsOf<Requests, Told> = {
  [T in keyof Requests]: ServiceCall<Requests[T] extends z.ZodType<infer R> ? R : never, Told>
}

/** A command to the actor that asked. */
export type OutcomeCommand = Send['command']

export type ServiceCall<Request, Told = OutcomeCommand> = {
  /** @param key goes into the body's own field for it, if there is one; it is in the header anyway */
  toHttp(request: Request, key: string): HttpCall
  /** The statuses that count as done. */
  done: readonly number[]
  /** The statuses that are a final no. */
  refused: readonly number[]
  /**
   * What the actor that asked is told when it is done.
   *
   * @param answer what JSON it sent, if any
   * @throws when that is not what it should be
   */
  onDone(request: Request, answer: unknown): Told
  /** What it is told of a final no. Without this there is no consequence, and the effect becomes a dead letter. */
  onRefused?(reason: string, request: Request): Told
  /** For a service that takes no key: a look whether it is done, before anything that may be a repetition. */
  readBack?: ReadBack<Request>
}

export type ReadBack<Request> = {
  toHttp(request: Request): HttpCall
  /** @throws when the answer is not what it should be */
  isDone(request: Request, answer: unknown): boolean
}

/** The body is JSON or plain text. */
export type HttpCall = { path: `/${string}` } & (
  | { method: 'GET' | 'DELETE' }
  | { method: 'POST' | 'PUT'; body: unknown }
  | { method: 'POST' | 'PUT'; text: string }
)

/** An adapter of any service, as the worker sees it. Methods let every one fit. */
export type AnyAdapter = { service: Service; concurrency: number; calls: Record<string, ServiceCall<unknown>> }
