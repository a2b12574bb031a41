import { z } from 'zod'
import { text, timestamp } from '../../schemas/values.ts'
import type { ServiceAdapter } from './service.ts'

/** The time is the service's own: bookings are looked up by the day of their receipts. */
const receipt = z.object({ number: text(), issued_at: timestamp })

export const receipts: ServiceAdapter<'receipts', 'ticket'> = {
  service: 'receipts',
  concurrency: 32,
  calls: {
    IssueReceipt: {
      toHttp: ({ ticket_id, price }, idempotency_key) => ({
        method: 'PUT',
        path: '/receipts-api/receipts',
        body: { ticket_id, price: { money_amount: price.amount, money_currency: price.currency }, idempotency_key },
      }),
      done: [200, 201],
      refused: [400],
      onDone: (_, answer) => ({ type: 'ReceiptIssued', ...receipt.parse(answer) }),
    },
    VoidReceipt: {
      toHttp: ({ ticket_id, reason }, idempotent_id) => ({
        method: 'PUT',
        path: '/receipts-api/void-receipt',
        body: { ticket_id, reason, idempotent_id },
      }),
      done: [200, 201],
      refused: [400],
      onDone: () => ({ type: 'ReceiptVoided' }),
    },
  },
}
