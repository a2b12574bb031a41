import { createHmac } from 'node:crypto'
import { once, setMaxListeners } from 'node:events'
import http from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

export type Webhook = {
  /** Posts the body until the receiver has it, or has refused it for good. Never rejects. */
  deliver(body: unknown, idempotencyKey: string, traceparent?: string): Promise<void>
  close(): void
}

const firstPauseMs = 100
const longestPauseMs = 5_000

/** Calls that wait for a slow receiver queue up in the agent and not in the receiver's sockets. */
const maxConnections = 16

/**
 * @param delayMs how long each delivery waits before its first attempt
 * @param secret by which each is signed, if it is
 */
export function createWebhook(url: string, delayMs: number, secret?: string): Webhook {
  const agent = new http.Agent({ keepAlive: true, maxSockets: maxConnections })
  const closing = new AbortController()
  const { signal } = closing
  // Every delivery that waits listens to it.
  setMaxListeners(0, signal)

  const attempt = async (body: string, idempotencyKey: string, traceparent?: string): Promise<boolean> => {
    try {
      const headers = {
        'Content-Type': 'application/json',
        'Idempotency-Key': idempotencyKey,
        ...(traceparent !== undefined && { traceparent }),
        ...(secret !== undefined && signatureOf(secret, idempotencyKey, body)),
      }
      const request = http.request(url, { method: 'POST', agent, signal, timeout: 10_000, headers })
      request.on('timeout', () => request.destroy(new Error('timeout')))
      request.end(body)
      const [response] = (await once(request, 'response')) as [http.IncomingMessage]
      response.resume()
      const status = response.statusCode ?? 500
      return status < 500 && status !== 429
    } catch {
      return false
    }
  }

  const deliver: Webhook['deliver'] = async (body, idempotencyKey, traceparent) => {
    const text = JSON.stringify(body)
    await sleep(delayMs, undefined, { signal })
    for (let pauseMs = firstPauseMs; !(await attempt(text, idempotencyKey, traceparent)); pauseMs *= 2) {
      await sleep(Math.min(pauseMs, longestPauseMs), undefined, { signal })
    }
  }

  return {
    deliver: (...delivery) =>
      deliver(...delivery).catch((error) => {
        if (!signal.aborted) throw error
      }),
    close: () => {
      closing.abort()
      agent.destroy()
    },
  }
}

/** By Standard Webhooks; written down here once more on purpose: our own checking is what it has to catch. */
function signatureOf(secret: string, id: string, body: string): Record<string, string> {
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64')
  const timestamp = String(Math.floor(Date.now() / 1_000))
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` }
}
