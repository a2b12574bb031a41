import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { Desk } from '../commands/desk.ts'
import { authorOf, authorOptions } from '../commands/options.ts'
import type { Outgoing, Publisher } from '../engine/ports.ts'
import type { Author } from '../store/audit.ts'
import type { LetterRecord, LetterSummary } from '../store/dead-letter-records.ts'
import { forEachLetter, type Result } from './bulk.ts'
import type { Command } from './command.ts'
import { bulkOptions, filterHelp, filterOptions } from './options.ts'
import { originOf } from './origin.ts'

const help = `turnstile dead-letters requeue [ID ...] [options]

Sends dead letters back to where they came from, oldest first: a command to its actor's mailbox, an effect to its service's
queue. They keep their ids, so nothing is done twice: a message that had its turn meanwhile is ignored, and a service sees
the same idempotency key. One that fails again is open again, with one attempt more. Correct the cause first.

${filterHelp}  --all                needed when nothing says which
  --dry-run            only says which it would be
  --by WHO             for the audit trail; the user of this process unless given
  --reason WHY         for the audit trail
  --json               one JSON object a line

  turnstile dead-letters requeue 019389c7-1f3a-7b08-8c66-2d94e5b1a703 --reason 'fixed in 1.4.2'
  turnstile dead-letters requeue --kind payments --code effect-exhausted --dry-run
`

/** The publisher tries for ever; a person does not wait for ever. */
export const publishMs = 10_000

export const requeue: Command = {
  help,
  async run(args, desk) {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { ...filterOptions, ...bulkOptions, ...authorOptions },
    })
    return forEachLetter(desk, positionals, values, createRequeuer(desk, authorOf(desk, values), values.status))
  },
}

/**
 * @param status what they must still be
 * @returns a function that sends letters back, in their order, and tells what became of each
 */
export function createRequeuer(desk: Desk, author: Author, status: string) {
  const broker = { isStuck: false }
  return async (found: LetterSummary[]): Promise<Result[]> => {
    if (broker.isStuck)
      return found.map((letter) => ({ letter, fault: 'not tried: the broker did not store those before' }))
    const publisher = await desk.publisher()
    const letters = await desk.letters.read(found)
    return Promise.all(
      letters.map(async (letter) => {
        // Of a long list, somebody else may have settled the last by now.
        if (letter.status !== status) return { letter, fault: `it is ${letter.status} by now` }
        return requeueOne(desk, publisher, broker, letter, author)
      }),
    )
  }
}

/**
 * First the broker, then the record. After a crash in between, the letter is still open and may be requeued once more: its
 * revision is the same, so the broker swallows it for two minutes, and after that the journal knows the message.
 */
async function requeueOne(
  { letters }: Desk,
  publisher: Publisher,
  broker: { isStuck: boolean },
  letter: LetterRecord,
  author: Author,
): Promise<Result> {
  const message = originOf(letter)
  if (!message) return { letter, fault: 'its subject was incomplete, so it has nowhere to go: discard it' }
  try {
    if (!(await isStored(publisher, [message]))) {
      broker.isStuck = true
      return { letter, fault: `the broker has not stored it within ${publishMs / 1_000} s: it stays ${letter.status}` }
    }
    const status = await letters.markRequeued(letter, author)
    // It may have failed again before this was written, and then nobody is to think that it is over.
    if (status !== 'requeued') return { letter, fault: `it was requeued, and is ${status} again` }
    return { letter, result: 'requeued' }
  } catch (error) {
    return { letter, fault: (error as Error).message }
  }
}

/** Whether the broker has stored them while a person waits. */
export async function isStored(publisher: Publisher, messages: Outgoing[]): Promise<boolean> {
  const late = new AbortController()
  try {
    const published = publisher.publish(messages).then(() => true)
    return await Promise.race([published, sleep(publishMs, false, { signal: late.signal })])
  } finally {
    late.abort()
  }
}
