import { z } from 'zod'
import { refundAccepted, type TicketView, ticketParams, ticketsStatusBody, ticketView } from '../../../schemas/http.ts'
import { type ListQuery, listedTicket, listQuery } from '../../../schemas/read-models.ts'
import { ticketState } from '../../../schemas/ticket.ts'
import { answerList } from '../lists.ts'
import { Problem } from '../problems.ts'
import { commandProblems, type NextCommand, queryProblems, type Route } from '../route.ts'

type Batch = z.infer<typeof ticketsStatusBody>

export const reportTickets: Route<unknown, Batch> = {
  method: 'POST',
  path: '/tickets-status',
  group: 'Tickets',
  roles: ['webhook'],
  isSigned: true,
  summary: 'Report tickets as confirmed or canceled',
  description:
    'The webhook of Dead Nation. One bad ticket rejects the whole batch. The same key and batch again does nothing twice, ' +
    'and is answered like the first.',
  isKeyRequired: true,
  body: ticketsStatusBody,
  answer: { status: 200, description: 'Every ticket is durably accepted; the body is empty' },
  problems: commandProblems,
  handle: ({ body, askAll }) => askAll(body.tickets.map(commandOf)),
}

export const listTickets: Route<unknown, unknown, ListQuery> = {
  method: 'GET',
  path: '/tickets',
  group: 'Tickets',
  roles: ['box-office', 'operator'],
  summary: 'List the tickets that are confirmed and neither canceled nor refunded',
  description: 'All of them; with `limit` or `cursor` a page, whose `Link` header leads to the next.',
  query: listQuery,
  answer: {
    status: 200,
    description: 'The tickets, as they stood a moment ago',
    schema: z.array(listedTicket),
    isStream: true,
  },
  problems: queryProblems,
  handle: (call) => answerList(call, '/tickets', (page) => call.readModels.tickets(page)),
}

export const getTicket: Route<z.infer<typeof ticketParams>> = {
  method: 'GET',
  path: '/tickets/{ticket_id}',
  group: 'Tickets',
  roles: ['customer', 'box-office', 'operator'],
  summary: 'See a ticket',
  params: ticketParams,
  answer: { status: 200, description: 'The ticket as it stands', schema: ticketView },
  problems: ['unknown-ticket', ...queryProblems],
  async handle({ params: { ticket_id }, findState }): Promise<TicketView> {
    const state = ticketState.parse((await findState('ticket', ticket_id)) ?? { status: 'unknown' })
    if (state.status === 'unknown') throw new Problem('unknown-ticket', `there is no ticket ${ticket_id}`)
    return { ticket_id, ...state }
  },
}

export const refundTicket: Route<z.infer<typeof ticketParams>> = {
  method: 'PUT',
  path: '/ticket-refund/{ticket_id}',
  group: 'Tickets',
  roles: ['customer', 'box-office', 'operator'],
  summary: 'Refund a ticket',
  description: 'Voids its receipt, then pays back. Of a ticket that is refunded already nothing more is done.',
  params: ticketParams,
  answer: { status: 202, description: 'It will be refunded, or is', schema: refundAccepted },
  problems: ['unknown-ticket', 'ticket-canceled', ...commandProblems],
  handle: ({ params: { ticket_id }, ask }) => ask('ticket', ticket_id, { type: 'RefundTicket' }),
}

function commandOf({ ticket_id, status, ...details }: Batch['tickets'][number]): NextCommand {
  return ['ticket', ticket_id, { type: status === 'confirmed' ? 'ConfirmTicket' : 'CancelTicket', ...details }]
}
