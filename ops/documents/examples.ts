import type { Tagged } from '../../src/actor/actor.ts'
import { publicBody } from '../../src/actor/public-event.ts'
import { readJournal, recordedJournals } from '../record-journal/file.ts'

/** Bodies of messages as they were said once, by name, or by who was told and name. */
export type Examples = Record<'events' | 'commands' | 'effects', Map<string, object[]>>

/** One of each, out of the newest recorded journal. */
export function recordedExamples(): Examples {
  const examples: Examples = { events: new Map(), commands: new Map(), effects: new Map() }
  const keep = (family: keyof Examples, name: string, body: object) => {
    if (!examples[family].has(name)) examples[family].set(name, [body])
  }
  for (const { kind, at, messageId, message, decision } of readJournal(recordedJournals().at(-1) ?? '').turns) {
    keep('commands', `${kind}.${message.type}`, bodyOf(message))
    for (const { messageId: id, index } of decision.publishes ?? []) {
      const event = decision.events?.[index]
      if (event) keep('events', event.type, publicBody(event, id, at, messageId))
    }
    for (const { call, request } of decision.calls ?? []) keep('effects', `${call}.${request.type}`, bodyOf(request))
  }
  return examples
}

function bodyOf({ type: _, ...body }: Tagged): object {
  return body
}
