import { createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { Denial } from './roles.ts'

/**
 * Signatures by Standard Webhooks (https://www.standardwebhooks.com): `webhook-signature` has one or several
 * `v1,<base64 of HMAC-SHA256>` over `<webhook-id>.<webhook-timestamp>.<body>`. Any signature by any secret will do, so that
 * either side can go over to a new secret first.
 */
export type SignedHeaders = { id: string; timestamp: string; signatures: Buffer[] }

const toleranceS = 5 * 60
const secretPrefix = 'whsec_'

/** The secrets in a text of several, with blanks or commas between. A faulty one is undefined. */
export function parseWebhookSecrets(text: string): (Buffer | undefined)[] {
  return text.split(/[\s,]+/).flatMap((word) => (word === '' ? [] : [parseSecret(word)]))
}

function parseSecret(word: string): Buffer | undefined {
  const base64 = word.slice(secretPrefix.length)
  const secret = Buffer.from(base64, 'base64')
  const isProper = word.startsWith(secretPrefix) && /^[\w+/-]+=*$/.test(base64)
  return isProper && secret.length >= 24 && secret.length <= 64 ? secret : undefined
}

/** What can be said before the body is there. */
export function readSignedHeaders(headers: IncomingHttpHeaders, nowMs: number): SignedHeaders | Denial {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature } = headers
  if (typeof id !== 'string' || typeof timestamp !== 'string' || typeof signature !== 'string')
    return { denied: 'webhook-id, webhook-timestamp and webhook-signature are required' }
  if (!/^\d{1,12}$/.test(timestamp)) return { denied: 'webhook-timestamp must be seconds since 1970' }
  if (Math.abs(nowMs / 1_000 - Number(timestamp)) > toleranceS)
    return { denied: 'webhook-timestamp is more than five minutes away from now' }
  const signatures = signature.split(' ').flatMap((word) => {
    return word.startsWith('v1,') ? Buffer.from(word.slice('v1,'.length), 'base64') : []
  })
  return { id, timestamp, signatures }
}

/** Whether one of the secrets made one of the signatures. */
export function isSigned(
  { id, timestamp, signatures }: SignedHeaders,
  body: Buffer,
  secrets: readonly Buffer[],
): boolean {
  return secrets.some((secret) => {
    const right = sign(secret, id, timestamp, body)
    return signatures.some((given) => given.length === right.length && timingSafeEqual(given, right))
  })
}

export function sign(secret: Buffer, id: string, timestamp: string, body: Buffer | string): Buffer {
  return createHmac('sha256', secret).update(`${id}.${timestamp}.`).update(body).digest()
}
