import { createHash } from 'node:crypto'

/** A row of the audit log, as the chain has it. */
export type AuditRow = {
  /** 1, 2, 3 … without a gap. */
  seq: number
  /** RFC 3339 in UTC, with microseconds. */
  at: string
  who: string
  act: string
  subject: string
  reason: string | null
  /** JSON, to the letter as it is stored. */
  details: string
  /** Hexadecimal SHA-256 of the row before, and of this one. */
  previous: string
  hash: string
}

/** The end of the log. Of an empty one `seq` is 0. */
export type AuditHead = { seq: number; hash: string }

/** What the first row follows on. */
export const chainStart: AuditHead = { seq: 0, hash: '0'.repeat(64) }

/**
 * What the hash of this row must be. The text that is hashed is a JSON array as Postgres writes one, where the trigger
 * `chain_audit` makes the same: anybody can check the log with nothing but SHA-256.
 */
export function hashOf({ previous, seq, at, who, act, subject, reason, details }: Omit<AuditRow, 'hash'>): string {
  const content = [previous, seq, at, who, act, subject, reason, details].map((part) => JSON.stringify(part))
  return createHash('sha256')
    .update(`[${content.join(', ')}]`)
    .digest('hex')
}
