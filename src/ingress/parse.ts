import type { z } from 'zod'
import { Problem } from './problems.ts'

/**
 * @param whole the name for the value itself, where a fault is not in one of its fields
 * @throws `invalid-request` that names every field at fault
 */
export function parseRequest<T>(schema: z.ZodType<T>, value: unknown, whole: string): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const errors = parsed.error.issues.map(({ path, message }) => ({
    field: path.length > 0 ? path.join('.') : whole,
    message: message.endsWith('received undefined') ? 'is required' : message.replace(/^Invalid input: /, ''),
  }))
  const detail = errors.map(({ field, message }) => `${field}: ${message}`).join('; ')
  throw new Problem('invalid-request', detail, { errors })
}
