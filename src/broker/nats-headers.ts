import { type Msg, type MsgHdrs, MsgHdrsImpl } from '@nats-io/transport-node'
import type { Headers } from './headers.ts'

/** Our names and values need no checking, which is most of what `headers().append` costs. */
export function toNatsHeaders(headers: Headers): MsgHdrs {
  const record: Record<string, string[]> = {}
  for (const name in headers) record[name] = [headers[name] ?? '']
  return MsgHdrsImpl.fromRecord(record)
}

/**
 * A header that comes several times is one line, as in HTTP. The library refuses to read headers with odd names or line
 * breaks, which a client can publish all the same: such a message is taken to have none.
 */
export function readHeaders(message: Msg): Headers {
  const record: Headers = {}
  for (const [name, values] of parsed(message) ?? []) {
    record[name] = values.length === 1 ? (values[0] ?? '') : values.join(', ')
  }
  return record
}

/** What the server says in place of a message, as in HTTP; 0 for a message. */
export function readStatus(message: Msg): { code: number; description: string } {
  const { code = 0, description = '' } = parsed(message) ?? {}
  return { code, description }
}

function parsed(message: Msg): MsgHdrs | undefined {
  try {
    return message.headers
  } catch {
    return undefined
  }
}
