import type http from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Faults } from './faults.ts'
import type { Received } from './received.ts'
import type { Answer, Service } from './service.ts'

type Context = { request: http.IncomingMessage; response: http.ServerResponse; faults: Faults; received: Received }

const garbage = '<html>}{ nobody can read this'

/** One call of a service, with whatever is wrong with it just now. */
export async function call(service: Service, text: string, context: Context): Promise<void> {
  const { request, response, faults, received } = context
  const { method = 'GET', url = '/', headers } = request
  const header = (name: string) => (typeof headers[name] === 'string' ? headers[name] : undefined)
  const idempotencyKey = header('idempotency-key')
  const traceparent = header('traceparent')
  const path = url.slice(`/${service.name}-api`.length)
  const fault = faults.draw(service.name, `${method} ${path} ${text}`)

  const hangMs = fault.strike('hang_ms')
  if (hangMs) await whileConnected(response, hangMs)
  if (response.destroyed) return

  const refusal = fault.strike('status') ?? (method !== 'DELETE' && fault.strike('sold_out') ? 409 : undefined)
  const body = parseJson(text)
  const answer: Answer = refusal
    ? { status: refusal, body: { error: refusal === 409 ? 'sold out' : 'set by /_faults' } }
    : service.handle({ method, path, idempotencyKey, traceparent, text, body })
  const { status, isRepeat = false } = answer
  const at = new Date().toISOString()
  const recorded = {
    at,
    service: service.name,
    method,
    path: url,
    idempotency_key: idempotencyKey,
    correlation_id: header('correlation-id'),
    traceparent,
    body,
    status,
  }
  received.record(recorded, isRepeat)

  const delayMs = fault.strike('delay_ms')
  if (delayMs) await whileConnected(response, delayMs)
  if (status < 300 && fault.strike('reset_after_success')) {
    request.socket.resetAndDestroy()
  } else if (status < 300 && fault.strike('garbage')) {
    response.writeHead(200, { 'Content-Type': 'text/html' }).end(garbage)
  } else {
    response.writeHead(status, { 'Content-Type': 'application/json' })
    response.end(answer.body === undefined ? undefined : JSON.stringify(answer.body))
  }
}

/** Waits, but not for a caller who has gone. */
async function whileConnected(response: http.ServerResponse, ms: number): Promise<void> {
  const gone = new AbortController()
  const abort = () => gone.abort()
  response.once('close', abort)
  await sleep(ms, undefined, { signal: gone.signal }).catch(() => undefined)
  response.off('close', abort)
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return body
  }
}
