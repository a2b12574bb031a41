import type { z } from 'zod'
import { Problem } from './problems.ts'

/** A batch of a thousand can have thousands of faults; nobody reads them all. */
const maxFaults = 100

/**
 * @param whole the name for the value itself, where a fault is not in one of its fields
 * @throws `invalid-request` that names the fields at fault
 */
export function parseRequest<T>(schema: z.ZodType<T>, value: unknown, whole: string): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const faults = new Map<string, string>()
  for (const { path, message } of parsed.error.issues) {
    const field = path.length > 0 ? path.join('.') : whole
    // Of several faults of one field the first is the cause of the others.
    if (!faults.has(field)) faults.set(field, worded(message))
    if (faults.size === maxFaults) break
  }
  const errors = [...faults].map(([field, message]) => ({ field, message }))
  const detail = errors.map(({ field, message }) => `${field}: ${message}`).join('; ')
  throw new Problem('invalid-request', detail, { errors })
}

function worded(message: string): string {
  return message.endsWith('received undefined') ? 'is required' : message.replace(/^Invalid input: /, '')
}
