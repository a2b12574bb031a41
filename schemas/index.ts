import type { z } from 'zod'
import { bookingCommands, bookingEvents } from './booking.ts'
import { deadNationRequests } from './dead-nation.ts'
import type { MessageOf } from './message.ts'
import { showCommands } from './show.ts'

/**
 * The catalogue: who can be told what. A wrong target or payload in an actor is a compile error, because `Intent` is
 * made from these tables and nothing else.
 */
export const commandsByKind = { show: showCommands, booking: bookingCommands }
export const requestsByService = { 'dead-nation': deadNationRequests }

export type Kind = keyof typeof commandsByKind
export type Service = keyof typeof requestsByService
export type CommandTo<K extends Kind> = MessageOf<(typeof commandsByKind)[K]>
export type RequestTo<S extends Service> = MessageOf<(typeof requestsByService)[S]>

/** A command to another actor. */
export type Send = { [K in Kind]: { send: K; id: string; command: CommandTo<K> } }[Kind]

/** One request to one external service; the outcome comes back as a command to the actor that asked. */
export type Call = { [S in Service]: { call: S; request: RequestTo<S> } }[Service]

export type Intent = Send | Call

/** The events that leave the house under their own name, for anyone to subscribe to. */
export const publicEvents: Readonly<Record<string, z.ZodType>> = {
  BookingMade_v1: bookingEvents.BookingMade_v1,
  BookingFailed_v1: bookingEvents.BookingFailed_v1,
}
