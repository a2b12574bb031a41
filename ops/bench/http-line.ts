import net from 'node:net'

/** As much of an answer as load clients look at. */
export type LineAnswer = { status: string; head: string; body: string }

/** One keep-alive connection, with one request on it at a time. It speaks just as much HTTP as load needs. */
export type Line = {
  send(request: string): void
  close(): void
}

export type LineEvents = {
  connected(line: Line): void
  answered(answer: LineAnswer, line: Line): void
  /** It ended, and not by `close`. With `ECONNREFUSED` or the like, or `closed` when the server hung up. */
  broke(code: string, line: Line): void
}

export function openLine(port: number, { connected, answered, broke }: LineEvents): Line {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
  const line: Line = {
    send: (request) => socket.write(request),
    close: () => {
      isOver = true
      socket.destroy()
    },
  }
  let received = ''
  let isOver = false
  const end = (code: string): void => {
    if (isOver) return
    isOver = true
    socket.destroy()
    broke(code, line)
  }
  socket.setEncoding('latin1')
  socket.on('connect', () => connected(line))
  socket.on('data', (chunk: string) => {
    received += chunk
    const answer = completeAnswer(received)
    if (answer === undefined) return
    received = ''
    answered(answer, line)
  })
  socket.on('error', (error: NodeJS.ErrnoException) => end(String(error.code)))
  socket.on('close', () => end('closed'))
  return line
}

/** An answer that has arrived whole. */
function completeAnswer(received: string): LineAnswer | undefined {
  const end = received.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const head = received.slice(0, end + 2)
  const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0)
  if (received.length < end + 4 + length) return undefined
  return { status: head.slice(9, 12), head, body: received.slice(end + 4) }
}

export function bookingRequest(showId: string): string {
  const body = `{"show_id":"${showId}","number_of_tickets":1,"customer_email":"kate@example.com"}`
  const head = 'POST /book-tickets HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: '
  return `${head}${body.length}\r\n\r\n${body}`
}
