import type { z } from 'zod'
import type { Intent } from '../../schemas/index.ts'

/** What an actor may know beside its state and the message. Data only: a turn reads no clock and draws no number. */
export type Context = {
  /** The actor's own id. */
  id: string
  /** The message's id; ids made in a turn come from it. */
  messageId: string
  /** When the message was accepted, RFC 3339 in UTC. */
  at: string
  deadlines: Deadlines
  /** The id of an actor that belongs to this one: for the same name always the same. */
  childId(name: string): string
}

/** How long things may take, as the installation has set it. What is decided by them is written into the events. */
export type Deadlines = { bookingMs: number; bundleStepMs: number }

/** The answer to whoever asked. It travels back to the first sender of the chain of messages that led here. */
export type Reply = { ok: Record<string, unknown> } | { refused: string; reason: string }

export type Decision<E> =
  /** Accepted: what happened, and what is to follow from it. */
  | { events: E[]; then?: Intent[]; reply?: Reply }
  /** An expected no, as data, never a throw: `refuse` is a code, `reason` a sentence. */
  | { refuse: string; reason: string; then?: Intent[]; reply?: Reply }
  /** Valid, and nothing to do. The text says why. */
  | { ignore: string; reply?: Reply }

/** A command that the actor gets from nobody, once this time has come. RFC 3339 in UTC. */
export type Alarm<M> = { at: string; command: M }

/** A message or an event: its name, and its fields beside it. */
export type Tagged = { type: string }

/**
 * An actor is its rules and nothing else. `decide` may look at everything and changes nothing; `evolve` is total, never
 * throws, and is the only way to a new state, so state and journal cannot disagree.
 */
export type Actor<S, M extends Tagged, E extends Tagged> = {
  kind: string
  schemas: {
    state: z.ZodType<S>
    messages: { [T in M['type']]: z.ZodType<Extract<M, { type: T }>> }
    events: { [T in E['type']]: z.ZodType<Extract<E, { type: T }>> }
  }
  initial: S
  decide: { [T in M['type']]: (state: S, message: Extract<M, { type: T }>, context: Context) => Decision<E> }
  evolve: { [T in E['type']]: (state: S, event: Extract<E, { type: T }>) => S }
  /** By the names of events that are no longer written: the same as it would be said now. Journals keep them for ever. */
  upcasters?: Record<string, (event: never) => Tagged>
  /**
   * When this state wants to be told that time has passed, if it does. Total, like `evolve`: an event that sets a deadline
   * sets the alarm, and one after which nothing is waited for cancels it.
   */
  alarm?(state: S): Alarm<M> | undefined
  /**
   * Whether its story is told by this time (RFC 3339 in UTC): nothing is waited for, and whatever may still come is answered
   * from the state. Then its old turns may be archived; those of a kind that does not say so never are.
   */
  hasEnded?(state: S, at: string): boolean
}

/** An actor of any kind, as the engine sees it. `never` lets every actor fit; one cast, in `turn.ts`, calls it. */
export type AnyActor = {
  kind: string
  schemas: { state: z.ZodType; messages: Record<string, z.ZodType>; events: Record<string, z.ZodType> }
  initial: unknown
  decide: Record<string, (state: never, message: never, context: Context) => Decision<Tagged>>
  evolve: Record<string, (state: never, event: never) => unknown>
  upcasters?: Record<string, (event: never) => Tagged>
  alarm?(state: never): Alarm<Tagged> | undefined
  hasEnded?(state: never, at: string): boolean
}
