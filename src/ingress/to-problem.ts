import { type ErrorCode, TurnstileError } from '../errors.ts'
import { Problem, type ProblemCode } from './problems.ts'

/** What our own failures mean to the caller. The rest of the catalogue never comes up on the way of a request. */
const byTurnstileCode: Partial<Record<ErrorCode, ProblemCode>> = {
  'broker-unavailable': 'unavailable',
  'issuer-unavailable': 'unavailable',
  'database-unavailable': 'unavailable',
  'mailbox-full': 'overloaded',
  'broker-timeout': 'outcome-unknown',
}

/** Any error as what the caller is told of it. What nobody foresaw says nothing about our insides. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof TurnstileError) {
    const code = byTurnstileCode[error.code]
    if (code) return new Problem(code, error.message, { cause: error })
  }
  return new Problem('internal', 'something went wrong here; the log has it under the Correlation-ID', { cause: error })
}
