import type { Author } from './audit.ts'
import type { ConnectionOptions } from './connection.ts'
import { Database } from './database.ts'
import { discardLetter, editLetter, markRequeued } from './dead-letter-acts.ts'
import { findLetters, type LetterFilter, type LetterRef, readAudit, readLetters } from './dead-letter-records.ts'

export type DeadLetterStore = ReturnType<typeof openDeadLetters>

/**
 * The dead letters, for the people who decide about them. Connects when it is first asked something; what is asked fails
 * with `database-unavailable` when that does not work.
 */
export function openDeadLetters(options: ConnectionOptions) {
  const database = new Database(options)
  return {
    find: (filter: LetterFilter, order: 'newest first' | 'oldest first', limit: number) =>
      findLetters(database, filter, order, limit),
    read: (refs: Omit<LetterRef, 'revision'>[]) => readLetters(database, refs),
    audit: (letter: Omit<LetterRef, 'revision'>) => readAudit(database, letter),
    markRequeued: (letter: LetterRef, by: Author) => markRequeued(database, letter, by),
    edit: (letter: LetterRef, payload: Uint8Array, by: Author) => editLetter(database, letter, payload, by),
    discard: (letter: LetterRef, by: Author) => discardLetter(database, letter, by),
    close: () => database.close(),
  }
}
