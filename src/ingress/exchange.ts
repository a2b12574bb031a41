import type { IncomingHttpHeaders } from 'node:http'
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'

/** What has come, whichever way it came. */
export type HttpRequest = {
  method: string
  /** Path and query, as they came. */
  target: string
  /** By their names in lower case. */
  headers: IncomingHttpHeaders
  /** Whether it has come more than once. */
  isRepeated(header: string): boolean
  socket: Pick<Socket, 'remoteAddress'>
  /** @throws `body-too-large`; `malformed-http` when it breaks off */
  readBody(): Promise<Buffer>
}

/** What goes back. A stream goes as it comes, until it ends or breaks; of anything else the headers say how long it is. */
export type Answer = { status: number; headers: Record<string, string>; body: string | Readable | undefined }

export const maxBodyBytes = 1024 * 1024

/** As `Content-Length` says it. */
export const lengthOf = (body: string | undefined): string => String(body === undefined ? 0 : Buffer.byteLength(body))
