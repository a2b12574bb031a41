import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Service } from '../../schemas/index.ts'
import type { Tagged } from '../actor/actor.ts'
import { systemClock } from '../clock.ts'
import type { DeadLetter, EffectDelivery } from '../engine/ports.ts'
import { noTracer } from '../engine/trace-ports.ts'
import { callHttp } from './http.ts'
import { InHand } from './in-hand.ts'
import { InTurn } from './in-turn.ts'
import type { AnyAdapter } from './service.ts'
import type { EffectSettings } from './worker.ts'

export const silent = { debug() {}, info() {}, warn() {}, error() {} }

export const ticketId = '019389c7-1f3a-7b08-8c66-2d94e5b1a703'
export const effectId = '019389c7-1f3a-7b08-8c66-00000000000f'

export type ReceivedCall = { line: string; headers: IncomingHttpHeaders; body: string }

type Respond = (call: ReceivedCall, response: ServerResponse, request: IncomingMessage) => void

/** A server that answers what the test says. */
export async function startServer(t: { after(stop: () => void): void }, respond: Respond) {
  const calls: ReceivedCall[] = []
  const server = createServer(async (request, response) => {
    const line = `${request.method} ${request.url}`
    const call = { line, headers: request.headers, body: await text(request) }
    calls.push(call)
    respond(call, response, request)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return { calls, gateway: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

/** An effect, and what became of it. */
export function aDelivery(service: Service, { type, ...body }: Tagged, changes: Partial<EffectDelivery> = {}) {
  const became = { done: 0, retries: [] as number[] }
  const effect: EffectDelivery = {
    service,
    messageId: effectId,
    actor: { kind: 'ticket', id: ticketId },
    type,
    payload: Buffer.from(JSON.stringify(body)),
    headers: {},
    meta: { correlationId: 'story' },
    attempt: 1,
    mayBeRepeat: false,
    done: async () => void became.done++,
    retry: (delayMs) => void became.retries.push(delayMs),
    working() {},
    ...changes,
  }
  return { effect, became }
}

/** Settings with an open gate, and what was told and buried. */
export function aWorker(adapter: AnyAdapter, gateway: string) {
  const told: Tagged[] = []
  const letters: DeadLetter[] = []
  const counted: string[] = []
  const settings: EffectSettings = {
    adapter,
    gate: { pass: (call) => call() },
    clock: systemClock,
    callHttp,
    inHand: new InHand(systemClock),
    inTurn: new InTurn(),
    gateway,
    partitions: 64,
    random: () => 1,
    timeoutMs: 500,
    log: silent,
    tracer: noTracer,
    observer: { deadLetter() {}, called: (_, outcome) => void counted.push(outcome) },
    deadLetters: { keepDeadLetter: async (letter) => void letters.push(letter) },
    failures: { noteFailure: async () => {}, forgetFailure: async () => {} },
    publisher: { announce() {} },
    deliver: async ({ command }) => void told.push(command),
  }
  return { settings, told, letters, counted }
}
