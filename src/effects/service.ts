import type { z } from 'zod'
import type { requestsByService, Send, Service } from '../../schemas/index.ts'

/**
 * An external service, as its adapter describes it: for each request that an actor can make of it, the HTTP call and
 * the answers that settle it. Whatever is in neither list (a time-out, a reset, 408, 429, any 5xx, a body that does not
 * parse) is unknown or temporary, and is tried again with the same idempotency key.
 */
export type ServiceAdapter<S extends Service> = {
  service: S
  /** How many calls one process makes at a time. */
  concurrency: number
  calls: CallsOf<(typeof requestsByService)[S]>
}

type CallsOf<Requests> = { [T in keyof Requests]: ServiceCall<Requests[T] extends z.ZodType<infer R> ? R : never> }

/** A command to the actor that asked. */
export type OutcomeCommand = Send['command']

export type ServiceCall<Request, Body = unknown> = {
  toHttp(request: Request): HttpCall
  /** The statuses that count as done, each with what its body must be. */
  done: Record<number, z.ZodType<Body>>
  /** The statuses that are a final no. */
  refused: readonly number[]
  /** What the actor that asked is told when it is done. */
  onDone(body: Body): OutcomeCommand
  /** What it is told of a final no. Without this there is no consequence, and the effect becomes a dead letter. */
  onRefused?(reason: string): OutcomeCommand
}

export type HttpCall = { method: 'POST' | 'PUT' | 'DELETE'; path: `/${string}`; body: unknown }

/** An adapter of any service, as the worker sees it. Methods let every one fit. */
export type AnyAdapter = { service: Service; concurrency: number; calls: Record<string, ServiceCall<unknown>> }
