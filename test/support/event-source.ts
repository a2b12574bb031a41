import http from 'node:http'

export type ServerEvent = { id: string; name: string; data: Record<string, unknown> }

/** A client of Server-Sent Events that connects once, and remembers what an EventSource would connect again with. */
export class EventClient {
  readonly events: ServerEvent[] = []
  status: number | undefined
  headers: http.IncomingHttpHeaders = {}
  /** Of the last event, or of where the stream began. */
  lastId: string | undefined
  comments = 0
  isOver = false
  readonly #request: http.ClientRequest
  #response: http.IncomingMessage | undefined
  #rest = ''

  constructor(url: string, lastId?: string) {
    const headers = lastId === undefined ? {} : { 'Last-Event-ID': lastId }
    this.#request = http.get(url, { headers, agent: false }, (response) => {
      this.#response = response
      this.status = response.statusCode
      this.headers = response.headers
      response.setEncoding('utf8').on('data', (chunk) => this.#read(chunk))
      response.on('error', () => {}).on('close', () => this.#end())
    })
    this.#request.on('error', () => this.#end())
  }

  /** Reads nothing more, like a client that hangs. */
  stall(): void {
    this.#response?.pause()
  }

  close(): void {
    this.#request.destroy()
  }

  #read(chunk: string): void {
    const blocks = (this.#rest + chunk).split('\n\n')
    this.#rest = blocks.pop() ?? ''
    for (const block of blocks) this.#take(block)
  }

  #take(block: string): void {
    const fields: Record<string, string> = {}
    for (const line of block.split('\n')) {
      const [, name = '', value = ''] = /^([^:]*):? ?(.*)$/.exec(line) ?? []
      if (name === '') this.comments++
      else fields[name] = value
    }
    this.lastId = fields.id ?? this.lastId
    const { id = '', event: name, data } = fields
    if (name !== undefined && data !== undefined) this.events.push({ id, name, data: JSON.parse(data) })
  }

  #end(): void {
    this.isOver = true
  }
}
