import { z } from 'zod'
import { rememberAnswers } from './idempotency.ts'
import { badRequest, noSuchCall, type Service } from './service.ts'

const refundRequest = z.object({
  payment_reference: z.guid(),
  reason: z.string().min(1),
  deduplication_id: z.string().min(1),
})

/** Pays back, once for every key: another key is another payment. */
export function payments(): Service {
  const refunds: object[] = []
  const refundOnce = rememberAnswers()
  return {
    name: 'payments',
    state: () => ({ refunds }),
    handle: ({ method, path, body }) => {
      if (method !== 'PUT' || path !== '/refunds') return noSuchCall
      const parsed = refundRequest.safeParse(body)
      if (!parsed.success) return badRequest(z.prettifyError(parsed.error))
      return refundOnce(parsed.data.deduplication_id, parsed.data, () => {
        refunds.push(parsed.data)
        return { status: 200, body: {} }
      })
    },
  }
}
