import { once } from 'node:events'
import http from 'node:http'
import { text } from 'node:stream/consumers'
import { ZodError, z } from 'zod'
import { call } from './gateway/call.ts'
import { deadNation } from './gateway/dead-nation.ts'
import { type FaultSettings, Faults } from './gateway/faults.ts'
import { files } from './gateway/files.ts'
import { reportPage } from './gateway/page.ts'
import { payments } from './gateway/payments.ts'
import { receipts } from './gateway/receipts.ts'
import { type Call, type Counts, Received } from './gateway/received.ts'
import type { Answer, Service } from './gateway/service.ts'
import { spreadsheets } from './gateway/spreadsheets.ts'
import { transportation } from './gateway/transportation.ts'

export type GatewayOptions = {
  port: number
  /** The address to listen on; loopback unless told otherwise. */
  host?: string
  /** Where the daemon listens, for the services that call back. */
  daemonUrl: string
  confirmAfterMs?: number | undefined
}

export type Gateway = {
  addr: string
  report(): Report
  /** As `PUT /_faults` does. */
  setFaults(settings: FaultSettings): void
  close(): Promise<void>
}

/** Beside these, what each service has: bookings, receipts, voided receipts, refunds, sheets, files, flights, taxis. */
export type Report = Counts & { faults: object; last_calls: Call[] }

/** A booking of more tickets is confirmed in several calls. */
const ticketsPerCall = 4

/** The external services, simulated. They run in our own process; `GET /` shows what they received. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { port, daemonUrl, confirmAfterMs = 100 } = options
  const services: Service[] = [
    deadNation({ daemonUrl, confirmAfterMs, ticketsPerCall }),
    receipts(),
    payments(),
    spreadsheets(),
    files(),
    transportation(),
  ]
  const received = new Received(services.map(({ name }) => name))
  const faults = new Faults()

  const report = (): Report => ({
    ...received.counts(),
    faults: faults.show(),
    ...Object.assign({}, ...services.map((service) => service.state())),
    last_calls: received.lastCalls,
  })

  const server = http.createServer(async (request, response) => {
    const { method = 'GET', url = '/', headers } = request
    const body = await text(request).catch(() => '')
    const service = services.find(({ name }) => url.startsWith(`/${name}-api/`))
    if (service) return call(service, body, { request, response, faults, received })
    if (url === '/' && headers.accept?.includes('text/html')) {
      response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(reportPage(report()))
      return
    }
    const answer = url === '/' ? { status: 200, body: report() } : answerFaults(`${method} ${url}`, body, faults)
    response.writeHead(answer.status, { 'Content-Type': 'application/json' })
    response.end(`${JSON.stringify(answer.body, undefined, 2)}\n`)
  })
  server.listen(port, options.host ?? '127.0.0.1')
  await once(server, 'listening')

  return {
    addr: `http://127.0.0.1:${port}`,
    report,
    setFaults: (settings) => faults.set(settings),
    close: async () => {
      for (const service of services) service.close?.()
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

/** @returns the faults as they are afterwards; those that were there, with their counts, when they are cleared */
function answerFaults(call: string, body: string, faults: Faults): Answer {
  const before = faults.show()
  try {
    switch (call) {
      case 'GET /_faults':
        break
      case 'PUT /_faults':
        faults.set(JSON.parse(body))
        break
      case 'DELETE /_faults':
        faults.clear()
        return { status: 200, body: before }
      default:
        return { status: 404, body: { error: 'no such service' } }
    }
    return { status: 200, body: faults.show() }
  } catch (error) {
    const reason = error instanceof ZodError ? z.prettifyError(error) : String(error)
    return { status: 400, body: { error: reason } }
  }
}
