/**
 * Dead Nation: confirms the tickets of bookings by our webhook, one call for each booking, on so many connections, each
 * sending its next call when the last one is answered. It runs as a process of its own.
 *
 * Reads the options from a file, whose name is its argument as JSON; writes one line when it begins and one JSON line of
 * WebhookLoadResult once all calls are answered.
 */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { beginMark } from './client.ts'
import { openLine } from './http-line.ts'
import { type Tally, tallyOf } from './tally.ts'

export type WebhookLoadOptions = { port: number; connections: number; bookings: string[]; ticketsABooking: number }

export type WebhookLoadResult = Tally & { others: Record<string, number>; cpuSeconds: number }

function run({ port, connections, bookings, ticketsABooking }: WebhookLoadOptions): Promise<WebhookLoadResult> {
  const latenciesMs: number[] = []
  const others: Record<string, number> = {}
  const note = (outcome: string): void => {
    others[outcome] = (others[outcome] ?? 0) + 1
  }
  process.stdout.write(`${beginMark}\n`)
  const started = process.cpuUsage()
  let next = 0
  let open = Math.min(connections, bookings.length)
  return new Promise((resolve) => {
    const closed = (): void => {
      open -= 1
      if (open > 0) return
      const { user, system } = process.cpuUsage(started)
      resolve({ ...tallyOf(latenciesMs), others, cpuSeconds: (user + system) / 1e6 })
    }
    for (let i = open; i > 0; i--) {
      let sentAtMs = 0
      const send = (line: { send(request: string): void; close(): void }): void => {
        const booking = bookings[next++]
        if (booking === undefined) {
          line.close()
          closed()
          return
        }
        sentAtMs = performance.now()
        line.send(webhook(booking, ticketsABooking))
      }
      openLine(port, {
        connected: send,
        answered({ status }, line) {
          if (status === '200') latenciesMs.push(performance.now() - sentAtMs)
          else note(status)
          send(line)
        },
        broke(code) {
          note(code)
          closed()
        },
      })
    }
  })
}

function webhook(booking_id: string, count: number): string {
  const tickets = Array.from({ length: count }, () => ({
    ticket_id: randomUUID(),
    status: 'confirmed',
    price: { amount: '50.30', currency: 'EUR' },
    customer_email: 'kate@example.com',
    booking_id,
  }))
  const body = JSON.stringify({ tickets })
  const head = `POST /tickets-status HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nIdempotency-Key: ${booking_id}`
  return `${head}\r\nContent-Length: ${body.length}\r\n\r\n${body}`
}

if (process.argv[2] !== undefined) {
  const options = JSON.parse(readFileSync(JSON.parse(process.argv[2]), 'utf8'))
  process.stdout.write(`${JSON.stringify(await run(options))}\n`, () => process.exit(0))
}
