import type { Address, DeadLetter, EffectDelivery, Meta, TurnRecord } from './ports.ts'

/**
 * Follows stories through the house, for whoever wants to see how one went: `src/telemetry/tracer.ts` does so with OpenTelemetry,
 * `noTracer` not at all. What returns a span returns none where nobody follows the story; its trace context, if it has one, is
 * then handed on as it came.
 */
export interface Tracer {
  /** An HTTP request has come. One without a context begins a story, and whether that is followed is decided here. */
  request(request: TracedRequest): Span<TracedAnswer> | undefined
  /**
   * A message is about to have its turn; one without a context begins a story here. The span's context is made from the actor and
   * the message, so that it is the same whoever decides it and however often.
   */
  turn(message: TracedMessage): Span<TurnRecord> | undefined
  /** A commit of so many turns, with the spans of those that are followed. */
  commit(turns: Span<TurnRecord>[], size: number): Span | undefined
  /** These turns are committed, and whoever took them may have died before it could show them: shows those that were followed. */
  turnsAgain(turns: TurnRecord[]): void
  /** A message is set aside as a dead letter. */
  deadLetter(letter: DeadLetter): void
  /** A message goes to the broker. It ends when that has stored it. */
  publish(message: { messageId: string; meta: Meta }, subject: string): Span | undefined
  /** One attempt at an effect, with all that belongs to it. */
  effect(effect: EffectDelivery): Span<EffectOutcome> | undefined
  /** One HTTP call of it. */
  call(call: TracedCall): Span<{ status: number } | { failed: string }> | undefined
}

/** Something that takes its time. What is begun and never ended was never there: so a turn that is rolled back leaves nothing. */
export interface Span<Result = void> {
  /** W3C trace context: what follows from it carries this. */
  readonly traceparent: string
  end(result: Result): void
}

export type EffectOutcome = 'done' | 'refused' | 'temporary'

export type TracedRequest = {
  method: string
  path: string
  traceparent: string | undefined
}

export type TracedAnswer = {
  status: number
  /** The pattern that the request's path fits, such as `/shows/:show_id`, if there is one. */
  route: string | undefined
}

export type TracedMessage = {
  to: Address
  type: string
  messageId: string
  meta: Meta
  /** Out of a mailbox; not from a turn of the same batch, nor from an alarm. */
  isDelivered: boolean
}

export type TracedCall = {
  method: string
  url: string
  /** 1 for the first. */
  attempt: number
  traceparent: string | undefined
}

export const noTracer: Tracer = {
  request: () => undefined,
  turn: () => undefined,
  commit: () => undefined,
  turnsAgain: () => undefined,
  deadLetter: () => undefined,
  publish: () => undefined,
  effect: () => undefined,
  call: () => undefined,
}
