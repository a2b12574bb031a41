import { STATUS_CODES } from 'node:http'
import type { Answer } from './exchange.ts'

/** What the answer to a plain request is on the wire: the bytes that Node's response would write. */
export function textOf({ status, headers, body }: Answer, keepAliveMs: number): string {
  let text = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n`
  for (const name in headers) text += `${name}: ${headers[name]}\r\n`
  text += `Date: ${dateOf(Math.floor(Date.now() / 1_000))}\r\n`
  if (headers.Connection === undefined) {
    text += `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(keepAliveMs / 1_000)}\r\n`
  }
  return `${text}\r\n${body ?? ''}`
}

/** Text that is as long in bytes as in characters is ASCII alone, and costs half as much to write when that is said. */
export const encodingOf = ({ headers, body }: Answer): 'latin1' | 'utf8' =>
  typeof body !== 'string' || Number(headers['Content-Length']) === body.length ? 'latin1' : 'utf8'

let second = 0
let date = ''

/** It is the same for a second. */
function dateOf(nowS: number): string {
  if (nowS !== second) {
    second = nowS
    date = new Date(nowS * 1_000).toUTCString()
  }
  return date
}
