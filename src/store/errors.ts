import { TurnstileError } from '../errors.ts'

/** The SQLSTATE of an error that Postgres itself reported. */
export function sqlState(error: unknown): string | undefined {
  const { name, code } = error as { name?: unknown; code?: unknown }
  return name === 'PostgresError' && typeof code === 'string' ? code : undefined
}

/** Whether Postgres refuses the data as such, and so will the next time: wrong values, broken constraints, limits. */
export function isRefusedData(error: unknown): boolean {
  return /^(21|22|23|54)/.test(sqlState(error) ?? '')
}

/**
 * Whether the statement is not to blame: no connection, not let in, no resources, a deadlock or lock time-out, a
 * cancellation, a shutdown, a fail-over that left us on a standby (25006).
 */
export function isTransient(error: unknown): boolean {
  const state = sqlState(error)
  if (state === undefined) return !(error instanceof TurnstileError)
  return /^(08|28|3D|40|53|57|58|25006|55P03)/.test(state)
}

export function databaseUnavailable(cause: unknown): TurnstileError {
  // Node's AggregateError of several refused addresses has a code and no message.
  const { message, code } = cause as { message?: string; code?: string }
  return new TurnstileError(
    'database-unavailable',
    `The database that POSTGRES_URL names does not answer: ${message || code}. Check that it runs and takes connections.`,
    { cause },
  )
}
