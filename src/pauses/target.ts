import { commandsByKind, services } from '../../schemas/index.ts'
import { isUuid } from '../actor/ids.ts'
import { misused } from '../commands/options.ts'
import type { Pause } from '../engine/ports.ts'
import type { LetterFilter } from '../store/dead-letter-records.ts'

const kinds = Object.keys(commandsByKind)

export const targetHelp = `What (one of):
  actor KIND ID    one actor
  kind KIND        all actors of a kind: ${kinds.join(', ')}
  service NAME     the calls of an external service: ${services.join(', ')}
`

/** @throws `config-invalid` that says what was expected */
export function parseTarget([target, name, id, ...others]: string[]): Pause {
  if (others.length > 0) throw misused(`there is too much after ${target}: ${others.join(' ')}`)
  if (target === 'actor') return { target, name: `${known('kind', name, kinds)}.${parseActorId(id)}` }
  if (id !== undefined) throw misused(`there is too much after ${target}: ${id}`)
  if (target === 'kind') return { target, name: known('kind', name, kinds) }
  if (target === 'service') return { target, name: known('service', name, services) }
  throw misused(`say what, as actor KIND ID, kind KIND or service NAME${target === undefined ? '' : `, not ${target}`}`)
}

/** The messages that such a pause has set aside and that no other holds back. */
export function releasedBy({ target, name }: Pause): LetterFilter {
  const [kind = '', id = ''] = name.split('.')
  return {
    code: 'actor-paused',
    status: 'open',
    isHeld: false,
    kind,
    ...(target === 'actor' && { actor: { id } }),
  }
}

export const nameOf = ({ target, name }: Pause): string => `${target} ${name}`

function known(what: string, name: string | undefined, choice: readonly string[]): string {
  if (name !== undefined && choice.includes(name)) return name
  throw misused(`there is no ${what} ${JSON.stringify(name ?? '')}; choose from ${choice.join(', ')}`)
}

function parseActorId(text = ''): string {
  const id = text.toLowerCase()
  if (isUuid(id)) return id
  throw misused(`the id of an actor is a UUID, not ${JSON.stringify(text)}`)
}
