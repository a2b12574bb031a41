import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { runClient } from './client.ts'
import type { OpenLoadOptions, OpenLoadResult } from './open-load.ts'

/** A server that answers the requests, from the first on, as this says. */
async function serve(answer: (index: number, response: http.ServerResponse) => void) {
  let requests = 0
  const server = http.createServer((request, response) => {
    request.resume().on('end', () => answer(requests++, response))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = () => {
    server.close()
    server.closeAllConnections()
  }
  return { port: (server.address() as AddressInfo).port, close, requests: () => requests }
}

function answerBooked(response: http.ServerResponse): void {
  response.statusCode = 201
  response.end('{"booking_id": "x"}')
}

const load = (options: Partial<OpenLoadOptions> & Pick<OpenLoadOptions, 'port' | 'phases'>) =>
  runClient<OpenLoadOptions, OpenLoadResult>('open-load.ts', {
    shows: ['a show'],
    maxConnections: 30,
    patienceMs: 400,
    ...options,
  })

test('who is answered late, and who waits for a connection behind them, is as late as they were kept waiting', async (t) => {
  const server = await serve((index, response) => {
    setTimeout(() => answerBooked(response), index < 2 ? 600 : 0)
  })
  t.after(server.close)
  const bookingsFile = path.join(process.env.TEST_FOLDER ?? tmpdir(), `bookings-${process.pid}`)
  const phases = [{ perSecond: 100, seconds: 1 }]
  const result = await load({ port: server.port, phases, maxConnections: 2, patienceMs: 30_000, bookingsFile })
  assert.equal(result.connections, 2)
  const booked = result.phases[0]?.outcomes['201']
  assert.equal(booked?.count, 100)
  // Nobody was served for 600 ms, in which sixty came. Half of all waited for longer than 100.
  assert.ok(booked.maxMs >= 600 && booked.p50Ms > 50, JSON.stringify(booked))
  assert.equal(readFileSync(bookingsFile, 'utf8'), 'x\n'.repeat(100))
})

test('every booking has one outcome, in the phase and the second in which it came', async (t) => {
  const server = await serve((index, response) => {
    if (index % 4 === 0) response.writeHead(503, { 'Retry-After': '1' }).end('{}')
    else if (index % 4 === 1) response.writeHead(503).end()
    else if (index % 4 === 2) response.destroy()
  })
  t.after(server.close)
  const result = await load({
    port: server.port,
    openConnections: 10,
    phases: [
      { perSecond: 20, seconds: 1 },
      { perSecond: 40, seconds: 1 },
    ],
  })
  assert.ok(result.connections >= 10)
  const counts = result.phases.map(({ outcomes }) => Object.values(outcomes).reduce((sum, { count }) => sum + count, 0))
  assert.deepEqual(counts, [20, 40])
  assert.deepEqual(
    result.phases.map(({ outcomes }) => outcomes),
    result.seconds,
  )
  const names = new Set(result.seconds.flatMap((outcomes) => Object.keys(outcomes)))
  assert.deepEqual([...names].sort(), ['503', '503 without Retry-After', 'closed', 'gave up'])
})

test('of a server that is not there everybody is told at once', async () => {
  const server = await serve(() => {})
  server.close()
  const { phases } = await load({ port: server.port, phases: [{ perSecond: 20, seconds: 1 }], patienceMs: 30_000 })
  assert.deepEqual(Object.keys(phases[0]?.outcomes ?? {}), ['ECONNREFUSED'])
})
