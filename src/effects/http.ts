import http from 'node:http'
import https from 'node:https'
import type { HttpCall } from './service.ts'

export type HttpAnswer = { status: number; retryAfter: string | undefined; body: string }

export type CallHttp = typeof callHttp

/** What is read grows by the ticket; what answers a request for something does not. */
const maxReadBytes = 64 * 1024 * 1024
const maxAnswerBytes = 1024 * 1024

/**
 * One call, over connections that are kept. The time-out covers everything, to the last byte of the answer.
 * Not `fetch`: that costs 270 µs of CPU a call. Nor signals and iterators, which cost as much as the call itself.
 *
 * @throws when there is no complete answer in time: then it is unknown whether the service did what was asked
 */
export function callHttp(
  gateway: string,
  call: HttpCall,
  headers: Record<string, string>,
  timeoutMs: number,
): Promise<HttpAnswer> {
  const { method } = call
  const url = urlOf(gateway, call)
  const content = contentOf(call)
  const maxBytes = method === 'GET' ? maxReadBytes : maxAnswerBytes
  const { request } = url.startsWith('https:') ? https : http
  return new Promise((resolve, reject) => {
    const underWay = request(url, { method, headers: { ...headers, ...content.headers } })
    const fail = (error: Error): void => {
      clearTimeout(deadline)
      underWay.destroy()
      reject(error)
    }
    const deadline = setTimeout(() => fail(new Error(`there was no answer within ${timeoutMs} ms`)), timeoutMs)
    underWay.on('error', fail)
    underWay.on('response', (response) => {
      const chunks: Buffer[] = []
      let bytes = 0
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes > maxBytes) fail(new Error(`the answer is longer than ${maxBytes} bytes`))
        else chunks.push(chunk)
      })
      response.on('error', fail)
      response.on('end', () => {
        clearTimeout(deadline)
        const { statusCode: status = 0, headers } = response
        resolve({ status, retryAfter: headers['retry-after'], body: Buffer.concat(chunks).toString() })
      })
    })
    underWay.end(content.payload)
  })
}

export const urlOf = (gateway: string, { path }: HttpCall): string => `${gateway.replace(/\/+$/, '')}${path}`

function contentOf(call: HttpCall): { payload?: Buffer; headers?: http.OutgoingHttpHeaders } {
  if (!('body' in call || 'text' in call)) return {}
  const [type, text] =
    'text' in call ? ['text/plain; charset=utf-8', call.text] : ['application/json', JSON.stringify(call.body)]
  const payload = Buffer.from(text)
  return { payload, headers: { 'Content-Type': type, 'Content-Length': payload.length } }
}
