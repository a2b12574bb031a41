import { eraseValue } from '../actor/erasure.ts'

/**
 * Texts as they lie in tables and streams: JSON, or not. Bytes that Postgres has written into JSON, in hexadecimal, are
 * looked into like any others.
 */

type Erase = (text: string) => string

/** @returns the text without the customer: the very same when they are not in it */
export function eraseText(text: string, erase: Erase): string {
  const value = parse(text)
  if (value === undefined) return erase(text)
  const erased = JSON.stringify(eraseValue(value, (part) => eraseWithin(part, erase)))
  return erased === JSON.stringify(value) ? text : erased
}

/** @returns the bytes without the customer; the very same when they are not in them, or when it is no text */
export function eraseBytes(bytes: Uint8Array, erase: Erase): Uint8Array {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    const erased = eraseText(text, erase)
    return erased === text ? bytes : new TextEncoder().encode(erased)
  } catch {
    // Latin 1 has a character for each byte, so the others stay what they are.
    const text = Buffer.from(bytes).toString('latin1')
    const erased = erase(text)
    return erased === text ? bytes : Buffer.from(erased, 'latin1')
  }
}

function eraseWithin(text: string, erase: Erase): string {
  if (!/^\\x(?:[0-9a-f]{2})+$/.test(text)) return erase(text)
  return `\\x${Buffer.from(eraseBytes(Buffer.from(text.slice(2), 'hex'), erase)).toString('hex')}`
}

function parse(text: string): unknown {
  if (!/^\s*[{[]/.test(text)) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
