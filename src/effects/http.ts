import http from 'node:http'
import https from 'node:https'
import type { HttpCall } from './service.ts'

export type HttpAnswer = { status: number; retryAfter: string | undefined; body: string }

const maxAnswerBytes = 1024 * 1024

/**
 * One call, over connections that are kept. The time-out covers everything, to the last byte of the answer.
 * Not `fetch`: that costs 270 µs of CPU a call, and this 80 to 140.
 *
 * @throws when there is no complete answer in time: then it is unknown whether the service did what was asked
 */
export async function callHttp(
  gateway: string,
  { method, path, body }: HttpCall,
  headers: Record<string, string>,
  timeoutMs: number,
): Promise<HttpAnswer> {
  const url = `${gateway.replace(/\/+$/, '')}${path}`
  const payload = Buffer.from(JSON.stringify(body))
  const signal = AbortSignal.timeout(timeoutMs)
  const contentHeaders = { 'Content-Type': 'application/json', 'Content-Length': payload.length }
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
    const { request } = url.startsWith('https:') ? https : http
    request(url, { method, headers: { ...headers, ...contentHeaders }, signal }, resolve)
      .on('error', reject)
      .end(payload)
  })
  return {
    status: response.statusCode ?? 0,
    retryAfter: response.headers['retry-after'],
    body: await readText(response),
  }
}

async function readText(response: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response) {
    bytes += chunk.length
    if (bytes > maxAnswerBytes) throw new Error(`the answer is longer than ${maxAnswerBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
