import type { BookingEvent } from '../../schemas/booking.ts'
import type { ShowEvent } from '../../schemas/show.ts'
import type { TicketEvent } from '../../schemas/ticket.ts'
import type { JournaledEvents } from '../engine/read-model-ports.ts'

type Events = { show: ShowEvent; booking: BookingEvent; ticket: TicketEvent }

/** What is known of a turn beside its events. */
export type TurnFacts = Omit<JournaledEvents, 'events'>

/**
 * A read model is the fold of the journal into rows, one for each actor. The folds are pure and do not throw: the same
 * turns make the same rows, whenever they are read.
 *
 * @typeParam Rows the kinds of actors that it looks at, and what its rows are for each
 */
export type Projection<Rows extends { [K in keyof Rows]: object } & { [K in keyof Events]?: object }> = {
  /** Also that of its table. */
  name: string
  /** What an event makes of the actor's row: another row, or `undefined` for none. What is not here changes nothing. */
  folds: {
    [K in keyof Rows & keyof Events]: {
      [T in Events[K]['type']]?: (
        row: Rows[K] | undefined,
        event: Extract<Events[K], { type: T }>,
        turn: TurnFacts,
      ) => Rows[K] | undefined
    }
  }
  /** Events whose row is the same whatever was there before: nobody need look for it. */
  begins?: { [K in keyof Rows & keyof Events]?: Events[K]['type'][] }
}

/** A projection of any rows. `never` lets each of them fit; one cast, in `fold.ts`, calls it. */
export type AnyProjection = {
  name: string
  folds: Record<string, Record<string, (row: never, event: never, turn: TurnFacts) => object | undefined>>
  begins?: Record<string, string[]>
}
