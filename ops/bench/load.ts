/**
 * A closed-loop client: so many keep-alive connections, each sending its next booking when the last one is answered.
 * It runs as a process of its own, speaks just as much HTTP as it needs, and so leaves the machine to what is measured.
 *
 * Reads one JSON line of LoadOptions from its arguments, writes one JSON line of LoadResult.
 */
import net from 'node:net'
import process from 'node:process'

export type LoadOptions = {
  port: number
  connections: number
  warmUpSeconds: number
  seconds: number
  shows: string[]
}

export type LoadResult = {
  /** Answers 201 in the measured time. */
  booked: number
  /** Every other outcome and how often it came. */
  others: Record<string, number>
  seconds: number
  p50Ms: number
  p99Ms: number
  p999Ms: number
  maxMs: number
}

function run({ port, connections, warmUpSeconds, seconds, shows }: LoadOptions): void {
  const latenciesMs: number[] = []
  const others: Record<string, number> = {}
  let isMeasuring = false
  let next = 0
  const note = (outcome: string, ms: number): void => {
    if (!isMeasuring) return
    if (outcome === '201') latenciesMs.push(ms)
    else others[outcome] = (others[outcome] ?? 0) + 1
  }
  for (let i = 0; i < connections; i++)
    openLine(port, () => bookingRequest(shows[next++ % shows.length] as string), note)

  setTimeout(() => {
    isMeasuring = true
    const startedMs = performance.now()
    setTimeout(() => {
      isMeasuring = false
      process.stdout.write(
        `${JSON.stringify(summarize(latenciesMs, others, (performance.now() - startedMs) / 1_000))}\n`,
      )
      process.exit(0)
    }, seconds * 1_000)
  }, warmUpSeconds * 1_000)
}

function openLine(port: number, makeRequest: () => string, note: (outcome: string, ms: number) => void): void {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
  let received = ''
  let sentAtMs = 0
  const send = (): void => {
    sentAtMs = performance.now()
    socket.write(makeRequest())
  }
  socket.setEncoding('latin1')
  socket.on('connect', send)
  socket.on('data', (chunk: string) => {
    received += chunk
    const status = completeAnswer(received)
    if (status === undefined) return
    received = ''
    note(status, performance.now() - sentAtMs)
    send()
  })
  socket.on('error', (error: NodeJS.ErrnoException) => note(String(error.code), 0))
}

/** The status of an answer that has arrived whole. */
function completeAnswer(received: string): string | undefined {
  const end = received.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const length = Number(/\r\ncontent-length: (\d+)/i.exec(received)?.[1] ?? 0)
  return received.length >= end + 4 + length ? received.slice(9, 12) : undefined
}

function bookingRequest(showId: string): string {
  const body = `{"show_id":"${showId}","number_of_tickets":1,"customer_email":"kate@example.com"}`
  const head = 'POST /book-tickets HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: '
  return `${head}${body.length}\r\n\r\n${body}`
}

function summarize(latenciesMs: number[], others: Record<string, number>, seconds: number): LoadResult {
  const sorted = Float64Array.from(latenciesMs).sort()
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  return {
    booked: sorted.length,
    others,
    seconds,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    p999Ms: at(0.999),
    maxMs: at(1),
  }
}

if (process.argv[2] !== undefined) run(JSON.parse(process.argv[2]))
