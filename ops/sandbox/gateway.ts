import { once } from 'node:events'
import http from 'node:http'
import { text } from 'node:stream/consumers'
import { deadNation } from './gateway/dead-nation.ts'
import type { Answer, Service } from './gateway/service.ts'

export type GatewayOptions = {
  port: number
  /** Where the daemon listens, for the services that call back. */
  daemonUrl: string
  confirmAfterMs?: number | undefined
}

export type Gateway = {
  addr: string
  report(): Report
  close(): Promise<void>
}

export type Report = {
  /** How many calls each service got. */
  calls: Record<string, number>
  last_calls: Call[]
}

type Call = {
  at: string
  service: string
  method: string
  path: string
  idempotency_key: string | undefined
  body: unknown
  status: number
}

const keptCalls = 50

/** The external services, simulated. They run in our own process; `GET /` shows what they received. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { port, daemonUrl, confirmAfterMs = 100 } = options
  const services: Service[] = [deadNation({ daemonUrl, confirmAfterMs })]
  const report: Report = { calls: Object.fromEntries(services.map(({ name }) => [name, 0])), last_calls: [] }

  const record = (call: Call): void => {
    report.calls[call.service] = (report.calls[call.service] ?? 0) + 1
    report.last_calls.unshift(call)
    report.last_calls.length = Math.min(report.last_calls.length, keptCalls)
  }

  const answer = async (request: http.IncomingMessage): Promise<Answer> => {
    const { method = 'GET', url = '/' } = request
    const body = parseJson(await text(request))
    if (url === '/') return { status: 200, body: report }

    const service = services.find(({ prefix }) => url.startsWith(`/${prefix}/`))
    if (service === undefined) return { status: 404, body: { error: 'no such service' } }

    const key = request.headers['idempotency-key']
    const idempotencyKey = typeof key === 'string' ? key : undefined
    const result = service.handle({ method, path: url.slice(service.prefix.length + 1), idempotencyKey, body })
    record({
      at: new Date().toISOString(),
      service: service.name,
      method,
      path: url,
      idempotency_key: idempotencyKey,
      body,
      status: result.status,
    })
    return result
  }

  const server = http.createServer(async (request, response) => {
    const { status, body } = await answer(request).catch((error) => ({ status: 500, body: { error: String(error) } }))
    response.writeHead(status, { 'Content-Type': 'application/json' })
    response.end(body === undefined ? undefined : `${JSON.stringify(body, undefined, 2)}\n`)
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')

  return {
    addr: `http://127.0.0.1:${port}`,
    report: () => report,
    close: async () => {
      for (const service of services) service.close()
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return body
  }
}
