/**
 * The external services, all answering at once: `cheap-services.ts PORT`. A process of its own that reads just as much HTTP as
 * it needs, so that the calls cost those who make them and hardly anybody else.
 */
import net from 'node:net'
import process from 'node:process'

const receipt = { number: 'R-1', issued_at: '2027-01-01T20:00:00Z' }

/** By what the path begins with. What an adapter wants to know is in it. */
const answers: [path: string, answer: string][] = [
  ['/receipts-api/', complete(receipt)],
  ['/dead-nation-api/', complete({ booking_id: 'any' })],
  ['/spreadsheets-api/', complete({ rows: [] })],
  ['/', complete({})],
]

function complete(body: object): string {
  const text = JSON.stringify(body)
  return `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`
}

net
  .createServer({ noDelay: true }, (socket) => {
    let received = ''
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      received += chunk
      const end = received.indexOf('\r\n\r\n')
      if (end < 0) return
      const head = received.slice(0, end + 2)
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0)
      if (received.length < end + 4 + length) return
      received = ''
      const path = head.split(' ', 2)[1] ?? '/'
      socket.write(answers.find(([start]) => path.startsWith(start))?.[1] ?? '')
    })
    // Whoever hangs up has their reasons.
    socket.on('error', () => {})
  })
  .listen(Number(process.argv[2]), '127.0.0.1')
