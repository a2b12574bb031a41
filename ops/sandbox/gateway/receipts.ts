import { z } from 'zod'
import { rememberAnswers } from './idempotency.ts'
import { badRequest, noSuchCall, type Service } from './service.ts'

const receiptRequest = z.object({
  ticket_id: z.guid(),
  price: z.object({ money_amount: z.string().regex(/^\d+(\.\d+)?$/), money_currency: z.string().length(3) }),
  idempotency_key: z.string().min(1),
})
const voidRequest = z.object({ ticket_id: z.guid(), reason: z.string().min(1), idempotent_id: z.string().min(1) })

/** Issues a receipt for every key, and voids it. */
export function receipts(): Service {
  const issued: object[] = []
  const voided: object[] = []
  const issueOnce = rememberAnswers()
  const voidOnce = rememberAnswers()
  return {
    name: 'receipts',
    state: () => ({ receipts: issued, voided_receipts: voided }),
    handle: ({ method, path, body }) => {
      switch (`${method} ${path}`) {
        case 'PUT /receipts': {
          const parsed = receiptRequest.safeParse(body)
          if (!parsed.success) return badRequest(z.prettifyError(parsed.error))
          const { ticket_id, price, idempotency_key } = parsed.data
          return issueOnce(idempotency_key, parsed.data, () => {
            const number = `R-${String(issued.length + 1).padStart(6, '0')}`
            const receipt = { number, issued_at: new Date().toISOString() }
            issued.push({ ticket_id, price, ...receipt, idempotency_key })
            return { status: 201, body: receipt }
          })
        }
        case 'PUT /void-receipt': {
          const parsed = voidRequest.safeParse(body)
          if (!parsed.success) return badRequest(z.prettifyError(parsed.error))
          return voidOnce(parsed.data.idempotent_id, parsed.data, () => {
            voided.push(parsed.data)
            return { status: 200, body: {} }
          })
        }
        default:
          return noSuchCall
      }
    },
  }
}
