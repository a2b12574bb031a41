import { z } from 'zod'
import type { AnyActor, Tagged } from '../actor/actor.ts'
import { isUuid } from '../actor/ids.ts'
import type { ErrorCode } from '../errors.ts'
import type { Delivery } from './ports.ts'

export type Actors = Readonly<Record<string, AnyActor>>

/** Why a message became a dead letter. */
export type Fault = { code: ErrorCode; cause: string; stack?: string }

export type Parsed = { actor: AnyActor; message: Tagged } | { fault: Fault }

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** The edge of the engine: bytes from anyone become a message of the catalogue, or a fault that says what is wrong. */
export function parseDelivery(actors: Actors, { to, type, payload, command }: Delivery): Parsed {
  const actor = lookUp(actors, to.kind)
  if (!actor) return fault('unknown-actor', `there is no kind of actor ${JSON.stringify(to.kind)}`)
  if (!isUuid(to.id)) return fault('message-unparsable', `the id in the subject is not a UUID in lower case: ${to.id}`)
  const schema = lookUp(actor.schemas.messages, type)
  if (!schema) return fault('unknown-command', `${to.kind} takes no command ${JSON.stringify(type)}`)

  const body = command ?? parseBody(payload)
  if (body === undefined) return fault('message-unparsable', 'the payload is not a JSON object in UTF-8')
  const message = schema.safeParse({ ...body, type })
  if (!message.success) return fault('message-unparsable', z.prettifyError(message.error))
  return { actor, message: message.data as Tagged }
}

/** An empty payload is an empty object, so that a command without fields can be published without a body. */
function parseBody(payload: Uint8Array): object | undefined {
  if (payload.length === 0) return {}
  try {
    const body: unknown = JSON.parse(utf8.decode(payload))
    return typeof body === 'object' && body !== null && !Array.isArray(body) ? body : undefined
  } catch {
    return undefined
  }
}

/** Names come from outside: `constructor` must not find what every object has. */
function lookUp<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined
}

const fault = (code: ErrorCode, cause: string): Parsed => ({ fault: { code, cause } })
