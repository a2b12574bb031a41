import type { HttpCall } from './service.ts'

export type HttpAnswer = { status: number; retryAfter: string | null; body: string }

const maxAnswerBytes = 1024 * 1024

/**
 * One call. The time-out covers everything, to the last byte of the answer.
 *
 * @throws when there is no complete answer in time: then it is unknown whether the service did what was asked
 */
export async function callHttp(
  gateway: string,
  { method, path, body }: HttpCall,
  headers: Record<string, string>,
  timeoutMs: number,
): Promise<HttpAnswer> {
  const response = await fetch(`${gateway.replace(/\/+$/, '')}${path}`, {
    method,
    headers: { ...headers, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
    // A service that has moved is a matter for whoever set GATEWAY_ADDR: a redirect is no answer.
    redirect: 'manual',
    signal: AbortSignal.timeout(timeoutMs),
  })
  return { status: response.status, retryAfter: response.headers.get('Retry-After'), body: await readText(response) }
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length
    if (bytes > maxAnswerBytes) throw new Error(`the answer is longer than ${maxAnswerBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
