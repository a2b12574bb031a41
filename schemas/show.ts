import { z } from 'zod'
import { commands, events, type MessageOf } from './message.ts'
import { id, text, ticketsOfBooking, ticketsOfShow, timestamp } from './values.ts'

const details = {
  dead_nation_id: id,
  title: text(),
  venue: text(),
  start_time: timestamp,
}

export const showCommands = commands({
  CreateShow: { ...details, number_of_tickets: ticketsOfShow },
  ReserveSeats: { booking_id: id, number_of_tickets: ticketsOfBooking },
  ReleaseSeats: { booking_id: id, number_of_tickets: ticketsOfBooking },
})
export type ShowCommand = MessageOf<typeof showCommands>

export const showEvents = events({
  ShowCreated_v1: { ...details, number_of_tickets: ticketsOfShow },
  SeatsReserved_v1: { booking_id: id, number_of_tickets: ticketsOfBooking },
  SeatsReleased_v1: { booking_id: id, number_of_tickets: ticketsOfBooking },
})
export type ShowEvent = MessageOf<typeof showEvents>

const unknown = z.strictObject({ status: z.literal('unknown') })
const onSale = z.strictObject({
  status: z.literal('on-sale'),
  ...details,
  capacity: ticketsOfShow,
  reserved: z.int().min(0).max(10_000_000),
})

/** Counters only: a turn costs the same at the millionth booking. Who holds which seats, the bookings know. */
export const showState = z.discriminatedUnion('status', [unknown, onSale])
export type ShowState = z.infer<typeof showState>
