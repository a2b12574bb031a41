import http from 'node:http'
import path from 'node:path'

export type HttpAnswer = { status: number; body: Record<string, unknown>; headers: http.IncomingHttpHeaders }

/** A keep-alive client of one or several daemons, in turn. It does not retry: what fails is the test's to judge. */
export class Client {
  readonly #agent: http.Agent
  readonly #urls: string[]
  #next = 0

  constructor(urls: string | string[], maxSockets = 64) {
    this.#urls = [urls].flat()
    this.#agent = new http.Agent({ keepAlive: true, maxSockets })
  }

  post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<HttpAnswer> {
    return this.#request('POST', path, JSON.stringify(body), { 'Content-Type': 'application/json', ...headers })
  }

  put(path: string, headers: Record<string, string> = {}): Promise<HttpAnswer> {
    return this.#request('PUT', path, undefined, headers)
  }

  get(path: string): Promise<HttpAnswer> {
    return this.#request('GET', path, undefined, {})
  }

  /** @returns the id of the new show */
  async createShow(seats: number): Promise<string> {
    const answer = await this.post('/shows', {
      dead_nation_id: '01900000-0000-7000-8000-0000000000dd',
      number_of_tickets: seats,
      start_time: '2027-01-01T20:00:00Z',
      title: 'The Hounds of Love',
      venue: 'Lyceum',
    })
    if (answer.status !== 201) throw new Error(`POST /shows: ${answer.status} ${JSON.stringify(answer.body)}`)
    return String(answer.body.show_id)
  }

  book(showId: string, tickets = 1, headers: Record<string, string> = {}): Promise<HttpAnswer> {
    const body = { show_id: showId, number_of_tickets: tickets, customer_email: 'kate@example.com' }
    return this.post('/book-tickets', body, headers)
  }

  close(): void {
    this.#agent.destroy()
  }

  #request(
    method: string,
    path: string,
    body: string | undefined,
    headers: Record<string, string>,
  ): Promise<HttpAnswer> {
    const base = this.#urls[this.#next++ % this.#urls.length]
    return new Promise((resolve, reject) => {
      const request = http.request(`${base}${path}`, { method, headers, agent: this.#agent }, (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk) => (text += chunk))
        response.on('error', reject)
        response.on('end', () => {
          try {
            const body = response.headers['content-type']?.includes('json') ? JSON.parse(text) : {}
            resolve({ status: response.statusCode ?? 0, body, headers: response.headers })
          } catch (error) {
            reject(error)
          }
        })
      })
      request.on('error', reject)
      request.end(body)
    })
  }
}

export type LoadReport = {
  /** Ids of the bookings that were answered with 201. */
  booked: string[]
  /** How often each other outcome came: `503 unavailable`, or the code of a connection error. */
  others: Record<string, number>
}

/** Books one ticket after the other on `connections` lines at once, until told to stop. */
export function startLoad(
  client: Client,
  shows: string[],
  connections: number,
): { stop(): Promise<LoadReport>; report: LoadReport } {
  const report: LoadReport = { booked: [], others: {} }
  let isStopping = false
  const line = async (index: number): Promise<void> => {
    for (let i = index; !isStopping; i++) {
      try {
        const answer = await client.book(shows[i % shows.length] as string)
        if (answer.status === 201) report.booked.push(String(answer.body.booking_id))
        else count(report, outcomeOf(answer))
      } catch (error) {
        count(report, String((error as NodeJS.ErrnoException).code ?? error))
        // A daemon that is gone refuses at once: do not spin.
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
  }
  const lines = Array.from({ length: connections }, (_, index) => line(index))
  return {
    report,
    async stop() {
      isStopping = true
      await Promise.all(lines)
      return report
    },
  }
}

/** A status, and the problem's code if it is one. */
function outcomeOf({ status, body }: HttpAnswer): string {
  return typeof body.type === 'string' ? `${status} ${path.basename(body.type)}` : String(status)
}

function count(report: LoadReport, outcome: string): void {
  report.others[outcome] = (report.others[outcome] ?? 0) + 1
}
