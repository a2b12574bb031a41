import { type MsgHdrs, MsgHdrsImpl } from '@nats-io/transport-node'
import type { Headers } from './headers.ts'

/** Our names and values need no checking, which is most of what `headers().append` costs. */
export function toNatsHeaders(headers: Headers): MsgHdrs {
  const record: Record<string, string[]> = {}
  for (const name in headers) record[name] = [headers[name] ?? '']
  return MsgHdrsImpl.fromRecord(record)
}

/** A header that comes several times is one line, as in HTTP. */
export function fromNatsHeaders(headers: MsgHdrs | undefined): Headers {
  const record: Headers = {}
  for (const [name, values] of headers ?? []) record[name] = values.length === 1 ? (values[0] ?? '') : values.join(', ')
  return record
}
