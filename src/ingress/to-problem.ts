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

/** What Fastify finds wrong with a request before a route sees it. */
const byFastifyCode: Readonly<Record<string, [ProblemCode, string]>> = {
  FST_ERR_BAD_URL: ['malformed-http', 'the path is not properly percent-encoded'],
  FST_ERR_MAX_PARAM_LENGTH: ['unknown-route', 'the path is too long for any route'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupported-media-type', 'Content-Type must be application/json'],
  FST_ERR_CTP_BODY_TOO_LARGE: ['body-too-large', 'the body is larger than 1 MiB'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['malformed-json', 'the body is empty'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['malformed-json', 'the body is not JSON'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['malformed-http', 'the body is not as long as Content-Length says'],
}

/** Any error as what the caller is told of it. What nobody foresaw says nothing about our insides. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof TurnstileError) {
    const code = byTurnstileCode[error.code]
    if (code) return new Problem(code, error.message, { cause: error })
  }
  const { code, statusCode } = error as { code?: string; statusCode?: number }
  const known = byFastifyCode[code ?? '']
  if (known) return new Problem(...known, { cause: error })
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new Problem('malformed-http', 'the request could not be read', { cause: error })
  }
  return new Problem('internal', 'something went wrong here; the log has it under the Correlation-ID', { cause: error })
}
