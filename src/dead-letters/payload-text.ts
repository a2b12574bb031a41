import { printable } from '../commands/text.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** JSON laid out, text as it is, and anything else in hexadecimal. */
export function payloadText(payload: Uint8Array): string {
  if (payload.length === 0) return '(empty)'
  try {
    const text = utf8.decode(payload)
    return printable(isJson(text) ? JSON.stringify(JSON.parse(text), null, 2) : text)
  } catch {
    return Buffer.from(payload)
      .toString('hex')
      .replaceAll(/(.{64})(?=.)/g, '$1\n')
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
