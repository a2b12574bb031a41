import type { IncomingHttpHeaders } from 'node:http'
import type { HttpRequest } from './exchange.ts'

/** What is plain to see of a request that begins with a chunk. */
type PlainRequest = {
  /** How many bytes are missing to its end; below 0, how many are behind it. */
  left: number
  /** Only if it is whole, and nothing is in it that Node's parser would see and this does not. */
  request?: HttpRequest
}

/** The head as nearly every client writes it. Each line can match in one way only, so no head makes this slow. */
const plainHead =
  /^(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) \/[\x21\x22\x24-\x7e]* HTTP\/1\.1\r\n(?:[\w-]+:[\x20-\x7e]*\r\n)+\r\n$/
/**
 * What lets a message end elsewhere than its length says, makes more of it than a request and its answer, or is more than a
 * text to Node.
 */
const unusual = ['transfer-encoding', 'expect', 'upgrade', 'proxy-connection', 'set-cookie']
const plainLength = /^\d{1,9}$/
const served = new Set(['GET', 'POST', 'PUT'])
const maxHeadBytes = 4_096

/**
 * Reads what leaves no room for doubt. Of everything else it says nothing: that is the parser's.
 *
 * @param chunk begins where a request does
 */
export function readPlain(chunk: Buffer, socket: HttpRequest['socket']): PlainRequest | undefined {
  const end = chunk.indexOf('\r\n\r\n') + 4
  if (end < 4 || end > maxHeadBytes) return undefined
  const head = chunk.toString('latin1', 0, end)
  if (!plainHead.test(head)) return undefined
  const firstEnd = head.indexOf('\r\n')
  const { headers, doubled } = headersOf(head, firstEnd + 2)
  const { connection = 'keep-alive', 'content-length': length = '0' } = headers
  if (connection.toLowerCase() !== 'keep-alive' || !plainLength.test(length)) return undefined
  if (unusual.some((name) => headers[name] !== undefined) || doubled.has('content-length')) return undefined
  const left = end + Number(length) - chunk.length
  const methodEnd = head.indexOf(' ')
  const method = head.slice(0, methodEnd)
  if (left !== 0 || doubled.size > 0 || headers.host === undefined || !served.has(method)) return { left }
  const target = head.slice(methodEnd + 1, firstEnd - ' HTTP/1.1'.length)
  const body = chunk.subarray(end)
  const request: HttpRequest = {
    method,
    target,
    headers,
    socket,
    isRepeated() {
      return false
    },
    async readBody() {
      return body
    },
  }
  return { left, request }
}

const none = new Set<string>()

/** @returns the headers, and the names of those that are there more than once */
function headersOf(head: string, begin: number): { headers: IncomingHttpHeaders; doubled: Set<string> } {
  const headers: IncomingHttpHeaders = {}
  let doubled = none
  for (let at = begin; at < head.length - 2; ) {
    const colon = head.indexOf(':', at)
    const end = head.indexOf('\r\n', colon)
    const name = head.slice(at, colon).toLowerCase()
    // What every object has by nature, such as `constructor`, counts as doubled too: then it is the parser's.
    if (headers[name] === undefined) headers[name] = head.slice(colon + 1, end).trim()
    else doubled = new Set(doubled).add(name)
    at = end + 2
  }
  return { headers, doubled }
}
