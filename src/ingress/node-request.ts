import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { type Answer, type HttpRequest, maxBodyBytes } from './exchange.ts'
import { Problem } from './problems.ts'
import type { Way } from './reception.ts'

/** A request that Node's parser has read. */
export function requestOf(incoming: IncomingMessage): HttpRequest {
  const { method = '', url: target = '', headers, socket } = incoming
  return {
    method,
    target,
    headers,
    isRepeated: (header) => (incoming.headersDistinct[header]?.length ?? 0) > 1,
    socket,
    readBody: () => readBody(incoming),
  }
}

function readBody(incoming: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const take = (chunk: Buffer): void => {
      bytes += chunk.length
      if (bytes <= maxBodyBytes) chunks.push(chunk)
      else reject(tooLarge())
    }
    if (Number(incoming.headers['content-length']) > maxBodyBytes) reject(tooLarge())
    else incoming.on('data', take).on('end', () => resolve(Buffer.concat(chunks)))
    incoming.on('error', (cause) => reject(new Problem('malformed-http', 'the request could not be read', { cause })))
  })
}

/** The rest of it is not waited for. */
const tooLarge = (): Problem =>
  new Problem('body-too-large', 'the body is larger than 1 MiB', { headers: { Connection: 'close' } })

/** By Node's response. A stream that breaks takes the connection with it, and a client that goes away the stream. */
export function wayBackBy(response: ServerResponse): Way {
  return {
    send: (answer) => send(answer, response),
    onEnd: (ended) => void response.once('close', () => ended(response.writableFinished)),
  }
}

function send({ status, headers, body }: Answer, response: ServerResponse): void {
  if (response.destroyed) {
    if (body instanceof Readable) body.destroy()
    return
  }
  response.writeHead(status, headers)
  if (!(body instanceof Readable)) {
    response.end(body)
    return
  }
  body.once('error', () => response.destroy())
  response.once('close', () => body.destroy())
  body.pipe(response)
}
