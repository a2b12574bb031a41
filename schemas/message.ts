import { z } from 'zod'

/**
 * A family of messages, keyed by name. The name is also each message's `type`, so that a family is at once the
 * catalogue (look a schema up by name) and, by `MessageOf`, the union that handlers are typed by.
 */
type Family<Shapes extends Record<string, z.ZodRawShape>, Mode extends z.core.$ZodObjectConfig> = {
  [Name in keyof Shapes & string]: z.ZodObject<{ type: z.ZodLiteral<Name> } & Shapes[Name], Mode>
}

/** The union of a family's messages, each with its name as `type`. */
export type MessageOf<F extends Record<string, z.ZodType>> = z.infer<F[keyof F]>

/** What comes from outside: unknown extra fields are accepted and dropped, as the contract asks. */
export function commands<Shapes extends Record<string, z.ZodRawShape>>(shapes: Shapes) {
  return family(shapes, z.object) as Family<Shapes, z.core.$strip>
}

/** What we write ourselves: an extra field is a mistake in a handler, which TypeScript does not flag in a literal. */
export function events<Shapes extends Record<string, z.ZodRawShape>>(shapes: Shapes) {
  return family(shapes, z.strictObject) as Family<Shapes, z.core.$strict>
}

function family(shapes: Record<string, z.ZodRawShape>, object: (shape: z.ZodRawShape) => z.ZodType) {
  const entries = Object.entries(shapes)
  return Object.fromEntries(entries.map(([name, shape]) => [name, object({ type: z.literal(name), ...shape })]))
}
