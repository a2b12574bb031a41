import type { Service } from '../../schemas/index.ts'
import { services } from '../../schemas/index.ts'
import type { Tagged } from '../../src/actor/actor.ts'
import { outcomeId } from '../../src/actor/ids.ts'
import type { Broker } from '../../src/broker/broker.ts'
import type { EffectDelivery } from '../../src/engine/ports.ts'
import { refusedCustomer, refusedFlight } from './scenario.ts'

/** What comes of each call. */
type Request = Record<string, string>
type Outcomes = { [S in Service]: (request: Request, effect: EffectDelivery) => Tagged }

/** @param refused the shows, by their ids at Dead Nation, of which no tickets are to be had */
const outcomes = (refused: Set<string>, at: string): Outcomes => ({
  'dead-nation': ({ event_id = '' }) =>
    refused.has(event_id)
      ? told({ type: 'DeadNationRefused', reason: 'the hall is closed' })
      : { type: 'DeadNationAccepted' },
  receipts: ({ ticket_id = '' }, { type }) =>
    type === 'VoidReceipt'
      ? { type: 'ReceiptVoided' }
      : told({ type: 'ReceiptIssued', number: `R-${ticket_id.slice(0, 8)}`, issued_at: at }),
  payments: () => ({ type: 'PaymentRefunded' }),
  spreadsheets: ({ sheet = '' }) => told({ type: 'RowAppended', sheet }),
  files: ({ file_id = '' }) => told({ type: 'FileStored', file_name: file_id }),
  transportation: (request, { type, messageId }) => transported(type, request, messageId),
})

/** External services that do at once what they are asked. */
export async function serve(broker: Broker, refused: Set<string>, at: string): Promise<void> {
  const answers = outcomes(refused, at)
  for (const service of services) {
    await broker.effects.consume(service, 4, async (effect) => {
      const { messageId, actor: address, payload, meta } = effect
      const command = answers[service](JSON.parse(Buffer.from(payload).toString()), effect)
      const outcome = { to: 'mailbox', address, messageId: outcomeId(messageId), command } as const
      await broker.publisher.publish([{ ...outcome, meta: { ...meta, causationId: messageId } }])
      await effect.done()
    })
  }
}

const told = (command: Tagged & Record<string, unknown>): Tagged => command

/** @param id what is booked is called by the effect that booked it */
function transported(type: string, request: Request, id: string): Tagged {
  const { leg, to_flight_id, customer_email, flight_ticket_id, taxi_booking_id } = request
  const reason = 'nothing is free'
  switch (type) {
    case 'BookFlight':
      if (to_flight_id === refusedFlight) return told({ type: 'FlightRefused', leg, reason })
      return told({ type: 'FlightBooked', leg, flight_ticket_ids: [id] })
    case 'BookTaxi':
      if (customer_email === refusedCustomer) return told({ type: 'TaxiRefused', reason })
      return told({ type: 'TaxiBooked', taxi_booking_id: id })
    case 'CancelTaxi':
      return told({ type: 'TaxiCanceled', taxi_booking_id })
    default:
      return told({ type: 'FlightTicketCanceled', flight_ticket_id: flight_ticket_id?.[0] })
  }
}
