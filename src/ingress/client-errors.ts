import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { Problem, problemAnswer } from './problems.ts'

/** After the answer, how long the client has to hang up before we do: an early reset could eat the answer. */
const lingerMs = 1_000

/** Answers what Node gives up on before there is a request: a header or a length that it cannot parse, so its own correlation id is unknown. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Duplex, correlationId: string): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const { status, headers, body } = problemAnswer(problemOf(error.code))
  Object.assign(headers, { 'Correlation-ID': correlationId, Connection: 'close' })
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`)
  setTimeout(() => socket.destroy(), lingerMs).unref()
}

function problemOf(code: string | undefined): Problem {
  if (code === 'HPE_HEADER_OVERFLOW') return new Problem('headers-too-large', 'the headers are larger than 16 KiB')
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new Problem('request-timeout', 'the request was not complete in time')
  return new Problem('malformed-http', 'the request line, a header or the length cannot be parsed')
}
