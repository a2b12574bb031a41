import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { booking } from '../../actors/booking.ts'
import { show } from '../../actors/show.ts'
import { ticket } from '../../actors/ticket.ts'
import { anyContext } from '../../test/support/given.ts'
import type { AnyActor, Decision, Tagged } from './actor.ts'
import { deriveId } from './ids.ts'
import { fold, takeTurn, upcast } from './turn.ts'

const event = z.strictObject({ type: z.literal('Happened_v1'), what: z.string() })
/** An actor that decides what the test says. */
const obedient = (decide: () => Decision<Tagged>): AnyActor => ({
  kind: 'obedient',
  schemas: { state: z.unknown(), messages: { Do: z.unknown() }, events: { Happened_v1: event } },
  initial: 0,
  decide: { Do: decide },
  evolve: { Happened_v1: (state: number) => state + 1 },
})
const takeIt = (actor: AnyActor, isRequest = false) =>
  takeTurn(actor, actor.initial, { type: 'Do' }, anyContext, isRequest)
const childOf = (index: number) => deriveId(anyContext.messageId, `booking.${anyContext.id}/${index}`)
const happened = { type: 'Happened_v1', what: 'it' }

describe('a turn', () => {
  test('folds its events into the state', () => {
    assert.equal(takeIt(obedient(() => ({ events: [happened, happened] }))).state, 2)
  })

  test('folds events that are no longer written as they would be said now, however often they changed', () => {
    const actor: AnyActor = {
      ...obedient(() => ({ events: [] })),
      upcasters: {
        Occurred_v1: ({ how }: { how: string }) => ({ type: 'Occurred_v2', what: how }),
        Occurred_v2: (event: object) => ({ ...event, type: 'Happened_v1' }),
      },
    }
    const occurred = { type: 'Occurred_v1', how: 'it' }
    assert.deepEqual(upcast(actor, occurred), happened)
    assert.deepEqual(upcast(actor, happened), happened)
    assert.equal(fold(actor, actor.initial, [occurred, happened]), 2)
  })

  test('makes the ids of what follows from the id of its message', () => {
    const order = { show_id: deriveId('s', 0), number_of_tickets: 1, customer_email: 'a@example.com' }
    const turn = takeTurn(booking, booking.initial, { type: 'BookShowTickets', ...order }, anyContext, true)
    assert.deepEqual(
      turn.sends.map(({ messageId }) => messageId),
      [childOf(0)],
    )
    const times = { requested_at: anyContext.at, deadline_at: anyContext.at }
    const state = { status: 'reserving', ...order, ...times }
    const granted = {
      type: 'SeatsReserved',
      show_id: order.show_id,
      number_of_tickets: 1,
      dead_nation_id: order.show_id,
    }
    const next = takeTurn(booking, state, granted, anyContext, false)
    assert.deepEqual(
      next.publishes.map(({ messageId }) => messageId),
      [childOf(0)],
    )
    assert.deepEqual(
      next.calls.map(({ messageId }) => messageId),
      [childOf(1)],
    )
  })

  test("publishes the events of the list, and no other actor's of the same name", () => {
    const [bookingId, ticketId] = [deriveId('b', 0), deriveId('t', 0)]
    const order = { show_id: deriveId('s', 0), number_of_tickets: 1, customer_email: 'a@example.com' }
    const made = { status: 'made', ...order, requested_at: anyContext.at, tickets_ordered: true, tickets: {} }
    const news = { type: 'TicketRefunded', ticket_id: ticketId }
    const heard = takeTurn(booking, made, news, anyContext, false)
    assert.deepEqual(heard.events, [{ type: 'TicketRefunded_v1', ticket_id: ticketId }])
    assert.deepEqual(heard.publishes, [])
    const details = { booking_id: bookingId, customer_email: 'a@example.com', price: { amount: '1', currency: 'EUR' } }
    const receipt = { number: 'R-1', issued_at: anyContext.at }
    const refunding = { status: 'refunding', ...details, receipt, is_receipt_voided: true, file_name: null, rows: [] }
    const refunded = takeTurn(ticket, refunding, { type: 'PaymentRefunded' }, anyContext, false)
    assert.equal(refunded.publishes[0]?.event.type, 'TicketRefunded_v1')
  })

  test('that refuses a request answers by itself; further down the chain it leaves the answer to others', () => {
    const refusing = obedient(() => ({ refuse: 'no', reason: 'because' }))
    assert.deepEqual(takeIt(refusing, true).reply, { refused: 'no', reason: 'because' })
    assert.equal(takeIt(refusing, false).reply, undefined)
  })

  test('throws on what is not in the catalogue: an unknown event, a field too many, a wrong send', () => {
    assert.throws(() => takeIt(obedient(() => ({ events: [{ type: 'Other_v1' }] }))), /no event Other_v1/)
    const tooMuch = { ...happened, more: 1 }
    assert.throws(() => takeIt(obedient(() => ({ events: [tooMuch] }))), /more/)
    const wrongSend = { send: 'show', id: anyContext.id, command: { type: 'ReserveSeats', booking_id: 'x' } } as never
    assert.throws(() => takeIt(obedient(() => ({ events: [], then: [wrongSend] }))), z.ZodError)
    const nowhere = { send: 'show', id: 'x', command: { type: 'ReserveSeats' } } as never
    assert.throws(() => takeIt(obedient(() => ({ events: [], then: [nowhere] }))), /not a UUID/)
    assert.throws(() => takeTurn(show, show.initial, { type: 'Unheard' }, anyContext, false), /no handler for Unheard/)
  })
})
