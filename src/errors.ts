/**
 * Every failure that someone outside a function may have to tell apart has a code here. `docs/errors.md` explains each to
 * operators; a test keeps the two equal.
 *
 * `retry` may go through later; `stop` needs a person.
 */
export const errorCatalogue = {
  'config-invalid': 'stop',
  'partitions-mismatch': 'stop',
  'migration-changed': 'stop',
  'schema-behind': 'stop',
  'database-unavailable': 'retry',
  'broker-unavailable': 'retry',
  'broker-timeout': 'retry',
  'issuer-unavailable': 'retry',
  'mailbox-full': 'retry',
  'mailbox-lost': 'retry',
  'message-unparsable': 'stop',
  'unknown-actor': 'stop',
  'unknown-command': 'stop',
  misrouted: 'stop',
  'turn-threw': 'stop',
  'commit-rejected': 'stop',
  'effect-refused': 'stop',
  'effect-exhausted': 'stop',
  'actor-paused': 'stop',
  'projection-stalled': 'stop',
  'projection-rebuilding': 'stop',
  'archive-busy': 'stop',
  'archive-unreadable': 'stop',
} as const

export type ErrorCode = keyof typeof errorCatalogue

export class TurnstileError extends Error {
  readonly code: ErrorCode

  /** @param message what happened, with ids, and what to do */
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'TurnstileError'
    this.code = code
  }
}

/** Whether this is ours, and of this code. */
export const hasCode = (error: unknown, code: ErrorCode): error is TurnstileError =>
  error instanceof TurnstileError && error.code === code
