import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { Problem } from './problems.ts'

/** After the answer, how long the client has to hang up before we do: an early reset could eat the answer. */
const lingerMs = 1_000

/** Answers what Node gives up on before there is a request: a header or a length that it cannot parse, so its own correlation id is unknown. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket, correlationId: string): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const problem = problemOf(error.code)
  const body = JSON.stringify(problem.document())
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    `Correlation-ID: ${correlationId}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
  setTimeout(() => socket.destroy(), lingerMs).unref()
}

function problemOf(code: string | undefined): Problem {
  if (code === 'HPE_HEADER_OVERFLOW') return new Problem('headers-too-large', 'the headers are larger than 16 KiB')
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new Problem('request-timeout', 'the request was not complete in time')
  return new Problem('malformed-http', 'the request line, a header or the length cannot be parsed')
}
