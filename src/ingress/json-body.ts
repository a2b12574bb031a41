import { isUtf8 } from 'node:buffer'
import type { IncomingHttpHeaders } from 'node:http'
import type { HttpRequest } from './exchange.ts'
import type { CheckBody } from './guard.ts'
import { Problem } from './problems.ts'

const noBytes = Buffer.alloc(0)

/**
 * JSON in UTF-8 and nothing else; undefined where there is no body. A key such as `__proto__` is a field like any other that
 * nobody asked for: the schemas let it drop.
 *
 * @param checkBody looks at it before anything is made of it
 * @throws `unsupported-media-type`, `malformed-json`, and what the reading or the look throws
 */
export async function readJson(request: HttpRequest, checkBody?: CheckBody): Promise<unknown> {
  const { headers } = request
  if (!isThere(headers)) {
    checkBody?.(noBytes)
    return undefined
  }
  if (!/^application\/json\s*(?:;|$)/i.test(headers['content-type'] ?? ''))
    throw new Problem('unsupported-media-type', 'Content-Type must be application/json')
  const body = await request.readBody()
  checkBody?.(body)
  if (!isPlainUtf8(headers)) throw new Problem('unsupported-media-type', 'the body must be UTF-8, and not compressed')
  if (body.length === 0) throw new Problem('malformed-json', 'the body is empty')
  if (!isUtf8(body)) throw new Problem('malformed-json', 'the body is not UTF-8')
  return parseJson(body.toString())
}

function isThere(headers: IncomingHttpHeaders): boolean {
  const { 'content-type': type, 'content-length': length = '0', 'transfer-encoding': encoding } = headers
  return type !== undefined || encoding !== undefined || length !== '0'
}

function isPlainUtf8(headers: IncomingHttpHeaders): boolean {
  const charset = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(headers['content-type'] ?? '')?.[1] ?? 'utf-8'
  return /^utf-?8$/i.test(charset) && (headers['content-encoding'] ?? 'identity') === 'identity'
}

function parseJson(text: string): unknown {
  try {
    // Some clients begin with a byte order mark.
    return JSON.parse(text.startsWith('\ufeff') ? text.slice(1) : text)
  } catch (error) {
    throw new Problem('malformed-json', 'the body is not JSON', { cause: error })
  }
}
