import type { ServiceAdapter } from './service.ts'

export const payments: ServiceAdapter<'payments', 'ticket'> = {
  service: 'payments',
  concurrency: 32,
  calls: {
    RefundPayment: {
      toHttp: ({ payment_reference, reason }, deduplication_id) => ({
        method: 'PUT',
        path: '/payments-api/refunds',
        body: { payment_reference, reason, deduplication_id },
      }),
      done: [200],
      refused: [400],
      onDone: () => ({ type: 'PaymentRefunded' }),
    },
  },
}
