import type { Tagged } from './actor.ts'

/**
 * What stands where a customer's address was. The same for everybody: so it says nothing of whose it was, and what is
 * written over twice, in any order, or only half, comes out the same. It is an address, as every schema asks for one.
 */
export const erasedEmail = 'erased@erased.invalid'
const erasedName = 'erased'

/** Names of people, which stand beside the address of the customer who gave them. */
const nameFields = new Set(['passengers', 'customer_name'])

/** Takes one customer out of text, by their address: in any case, also amid other text, but never as a part of another. */
export function eraserOf(email: string): (text: string) => string {
  const literal = email.replaceAll(/[^\w@]/g, '\\$&')
  const address = new RegExp(`(?<![\\w.!#$%&'*+/=?^\`{|}~-])${literal}(?![\\w-]|\\.\\w)`, 'gi')
  return (text) => text.replaceAll(address, erasedEmail)
}

/** The same JSON value with every text in it erased, and the names that stand beside an address which was. */
export function eraseValue(value: unknown, erase: (text: string) => string): unknown {
  if (typeof value === 'string') return erase(value)
  if (Array.isArray(value)) return value.map((item) => eraseValue(item, erase))
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value).map(([name, field]) => [name, eraseValue(field, erase)] as const)
  const isErased = fields.some(([, field]) => field === erasedEmail)
  return Object.fromEntries(
    fields.map(([name, field]) => [name, isErased && nameFields.has(name) ? nameless(field) : field]),
  )
}

/** Whether this is the state of an actor whose customer was erased. */
export const isErased = (state: unknown): boolean =>
  (state as { customer_email?: unknown } | null)?.customer_email === erasedEmail

/** A message to such an actor: whoever sends the customer's address once more does not bring it back. */
export const withoutCustomer = (message: Tagged): Tagged =>
  'customer_email' in message
    ? (eraseValue({ ...message, customer_email: erasedEmail }, (text) => text) as Tagged)
    : message

function nameless(field: unknown): unknown {
  return Array.isArray(field) ? field.map(() => erasedName) : erasedName
}
