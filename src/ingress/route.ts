import type { Readable } from 'node:stream'
import type { z } from 'zod'
import type { CommandTo, Kind } from '../../schemas/index.ts'
import type { CallerRole } from '../access/roles.ts'
import type { FailingCall } from '../engine/ports.ts'
import type { ReadModels } from '../engine/read-model-ports.ts'
import type { ProblemCode } from './problems.ts'

/**
 * One route, complete: the server, the OpenAPI document and the page that shows it are all made from this. To add a
 * route, write one of these and put it into the list in `routes/index.ts`.
 */
export type Route<Params = unknown, Body = unknown, Query = unknown> = {
  method: 'GET' | 'POST' | 'PUT'
  /** As OpenAPI writes it: `/shows/{show_id}`. */
  path: `/${string}`
  group: 'Shows' | 'Bookings' | 'Tickets' | 'VIP bundles' | 'Events' | 'Operation' | 'Documents'
  /** Whom it is for: each of these may use it. */
  roles: readonly CallerRole[] | 'anyone'
  /** It is a webhook: a signature of the body takes the place of roles where secrets are set. */
  isSigned?: true
  summary: string
  description?: string
  /** Of the names in the path. */
  params?: z.ZodType<Params>
  /** Of what stands behind the `?`, each at most once. What is not named here is ignored. */
  query?: z.ZodType<Query>
  /** Nothing is done without an Idempotency-Key. */
  isKeyRequired?: boolean
  body?: z.ZodType<Body>
  answer: {
    status: 200 | 201 | 202
    description: string
    /** JSON by this schema; without it, text of this `type`; without both, nothing. */
    schema?: z.ZodType
    type?: string
    headers?: Record<string, string>
    /** It may be a stream. */
    isStream?: true
  }
  /** The problems that it can be answered with, besides those that any request can. */
  problems: readonly ProblemCode[]
  /**
   * Makes the body of the answer, or throws a Problem. A `Readable` is sent as it comes; when it breaks, so does the
   * connection, and nobody takes the answer for complete. A method, so that routes of all kinds fit into one list.
   */
  handle(call: Call<Params, Body, Query>): unknown
}

/** One request, already parsed, and what it may ask of the house. */
export type Call<Params, Body, Query> = {
  params: Params
  query: Query
  body: Body
  /**
   * Sends a new actor its first command and waits for the answer, which is committed by then. With the same
   * Idempotency-Key it is the same actor, and the same answer.
   *
   * @throws a Problem when the actor refuses, or when there is no answer in time
   */
  askNew(...first: FirstCommand): Promise<Record<string, unknown>>
  /** The same; without a key, the new actor lies in the partition of the one of this id, if that is not in great demand. */
  askNewNear(near: string, ...first: FirstCommand): Promise<Record<string, unknown>>
  /** The same for the actor of this id, whether it was ever heard of or not. */
  ask(...next: NextCommand): Promise<Record<string, unknown>>
  /**
   * Sends commands in this order and waits for all answers. That the Idempotency-Key belongs to another batch is found out
   * before anything is sent.
   *
   * @throws a Problem; `outcome-unknown` also when only some of them were accepted
   */
  askAll(batch: NextCommand[]): Promise<void>
  /** The committed state of an actor, if it has one. */
  findState(kind: Kind, id: string): Promise<unknown>
  /** What fails of the calls that it asked for. */
  findFailingCalls(kind: Kind, id: string): Promise<FailingCall[]>
  /**
   * What happens to this actor, or everything that is public, as Server-Sent Events: from behind `Last-Event-ID`, if the
   * request has one.
   *
   * @throws a Problem
   */
  listen(actor?: { kind: Kind; id: string }): Promise<Readable>
  /**
   * The lists.
   *
   * @throws `unavailable` where it is known that the database does not answer
   */
  readonly readModels: ReadModels
  /** More headers for the answer. */
  headers: Record<string, string>
  server: ServerView
}

/** What Server-Sent Events are sent as. */
export const eventStream = 'text/event-stream'

/** The kind of the new actor, and a command that it understands. */
export type FirstCommand = { [K in Kind]: [kind: K, command: CommandTo<K>] }[Kind]

/** The actor, and a command that it understands. */
export type NextCommand = { [K in Kind]: [kind: K, id: string, command: CommandTo<K>] }[Kind]

/** What the routes about the server itself show. */
export type ServerView = {
  /** Why no request can be taken now; nothing when all is well. */
  notReadyBecause(): string | undefined
  metrics(): Promise<string>
  openapi(): object
  docsPage(): string
}

/** The path with these values in the places of their names. */
export function fillPath(path: string, values: Record<string, unknown> = {}): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => String(values[name]))
}

/** What a command can be answered with, whichever it is. */
export const commandProblems = [
  'invalid-request',
  'invalid-idempotency-key',
  'idempotency-key-reused',
  'refused',
  'overloaded',
  'unavailable',
  'paused',
  'outcome-unknown',
] as const satisfies ProblemCode[]

/** What listening can be answered with. */
export const listenProblems = [
  'invalid-request',
  'archived',
  'overloaded',
  'unavailable',
] as const satisfies ProblemCode[]

/** What reading a state can be answered with. */
export const queryProblems = ['invalid-request', 'unavailable'] as const satisfies ProblemCode[]
