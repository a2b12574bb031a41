import type { z } from 'zod'
import { bookingCommands, bookingEvents } from './booking.ts'
import { bundleCommands, bundleEvents } from './bundle.ts'
import type { MessageOf } from './message.ts'
import {
  deadNationRequests,
  filesRequests,
  paymentsRequests,
  receiptsRequests,
  spreadsheetsRequests,
  transportationRequests,
} from './services.ts'
import { showCommands } from './show.ts'
import { ticketCommands, ticketEvents } from './ticket.ts'

/**
 * The catalogue: who can be told what. A wrong target or payload in an actor is a compile error, because `Intent` is
 * made from these tables and nothing else.
 */
export const commandsByKind = {
  show: showCommands,
  booking: bookingCommands,
  ticket: ticketCommands,
  bundle: bundleCommands,
}
export const requestsByService = {
  'dead-nation': deadNationRequests,
  receipts: receiptsRequests,
  payments: paymentsRequests,
  spreadsheets: spreadsheetsRequests,
  files: filesRequests,
  transportation: transportationRequests,
}

export type Kind = keyof typeof commandsByKind
export type Service = keyof typeof requestsByService
export const services = Object.keys(requestsByService) as Service[]

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
  TicketBookingConfirmed_v1: ticketEvents.TicketBookingConfirmed_v1,
  TicketBookingCanceled_v1: ticketEvents.TicketBookingCanceled_v1,
  TicketReceiptIssued_v1: ticketEvents.TicketReceiptIssued_v1,
  TicketPrinted_v1: ticketEvents.TicketPrinted_v1,
  TicketRefunded_v1: ticketEvents.TicketRefunded_v1,
  VipBundleInitialized_v1: bundleEvents.VipBundleInitialized_v1,
  VipBundleFinalized_v1: bundleEvents.VipBundleFinalized_v1,
  FlightBooked_v1: bundleEvents.FlightBooked_v1,
  FlightBookingFailed_v1: bundleEvents.FlightBookingFailed_v1,
  TaxiBooked_v1: bundleEvents.TaxiBooked_v1,
  TaxiBookingFailed_v1: bundleEvents.TaxiBookingFailed_v1,
}
