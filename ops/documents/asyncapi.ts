import { z } from 'zod'
import { actors } from '../../actors/index.ts'
import { commandsByKind, publicEvents, requestsByService } from '../../schemas/index.ts'
import type { JsonSchema } from '../../src/ingress/openapi.ts'
import { type Examples, recordedExamples } from './examples.ts'

/** Something that is said on NATS: where, by whom, and what it is. */
type Said = {
  /** In the document; a kind may take a message of the same name as another. */
  id: string
  name: string
  address: string
  parameters: string[]
  action: 'send' | 'receive'
  summary: string
  headers: JsonSchema
  payload: JsonSchema
  examples: object[]
  isAnswered?: boolean
}

const text = (description: string): JsonSchema => ({ type: 'string', description })

const ownHeaders = {
  'Nats-Msg-Id': text('The id of the message: what comes twice under one id is done once'),
  'Correlation-ID': text('Names the whole story: the same in all that follows from one request'),
  'Causation-ID': text('The message whose turn sent this one'),
  traceparent: text('W3C trace context'),
}
const headers: JsonSchema = { type: 'object', properties: ownHeaders }
const commandHeaders: JsonSchema = {
  type: 'object',
  properties: { ...ownHeaders, 'Reply-To': text('The subject that the answer is to be sent to') },
}
const effectHeaders: JsonSchema = {
  type: 'object',
  properties: {
    ...ownHeaders,
    'Actor-Kind': text('The kind of the actor that asks'),
    'Actor-Id': text('The id of the actor that asks, and gets the outcome'),
    'Turn-At': text('When the message of its turn was accepted'),
    'Message-ID': text('The id of the effect, when it was published once more under another one'),
    'Told-Again': text('It may have been carried out already'),
    'Next-Attempt-Ms': text(
      'When its next attempt is due, in milliseconds since 1970: the first one failed before it was published',
    ),
  },
}

/** The AsyncAPI 3 document of what the daemon says and hears on NATS, by the same schemas that it parses and writes by. */
export function makeAsyncApi(): object {
  const examples = recordedExamples()
  const said = [...events(examples), ...commands(examples), ...effects(examples), deadLetters]
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Turnstile',
      version: '1',
      description:
        'What Turnstile says and hears on NATS. The first token of every subject is `TURNSTILE_PREFIX`, `turnstile` unless it is ' +
        'set. An operation that sends is one of the daemon. Headers may be left out of commands; unknown fields are ignored.',
    },
    defaultContentType: 'application/json',
    servers: { nats: { host: 'localhost:4222', protocol: 'nats', description: 'NATS with JetStream, 2.9 or later' } },
    channels: {
      ...Object.fromEntries(said.map((one) => [one.id, channelOf(one)])),
      answers: { address: null, description: answerText, messages: { Answer: messageRef('Answer') } },
    },
    operations: Object.fromEntries(said.map((one) => [`${one.action}.${one.id}`, operationOf(one)])),
    components: { messages: { ...Object.fromEntries(said.map((one) => [one.id, messageOf(one)])), Answer: answer } },
  }
}

const answerText =
  'The subject that the command named in `Reply-To`. Answered at most once, when the turn is committed.'

const answer = {
  name: 'Answer',
  payload: {
    type: 'object',
    properties: {
      request_id: text('The id of the command'),
      ok: { type: 'object', description: 'What was done, when it was' },
      refused: text('Why not, as a code'),
      reason: text('Why not, in words'),
    },
    required: ['request_id'],
  },
}

const eventHeader: JsonSchema = {
  type: 'object',
  properties: {
    id: text("The event's own id"),
    published_at: { type: 'string', format: 'date-time' },
    idempotency_key: text('The id of the message whose turn it happened in'),
  },
  required: ['id', 'published_at', 'idempotency_key'],
}

function events(examples: Examples): Said[] {
  return Object.entries(publicEvents).map(([name, schema]) => {
    const kind = Object.values(actors).find((actor) => actor.schemas.events[name] === schema)?.kind ?? ''
    const { properties, required = [], ...body } = bodyOf(schema, 'output')
    const payload = { ...body, properties: { header: eventHeader, ...properties }, required: ['header', ...required] }
    const address = `turnstile.evt.${kind}.{id}.${name}`
    const summary = `A public event of a ${kind}, kept for TURNSTILE_EVENT_DAYS in the stream turnstile-events`
    const about = { id: name, name, address, parameters: ['id'], summary, headers, payload }
    return { ...about, action: 'send', examples: examples.events.get(name) ?? [] }
  })
}

function commands(examples: Examples): Said[] {
  return Object.entries(commandsByKind).flatMap(([kind, family]) =>
    Object.entries(family).map(([name, schema]): Said => {
      const id = `${kind}.${name}`
      const about = { id, name, address: `turnstile.cmd.${kind}.{id}.${name}`, parameters: ['id'] }
      const payload = bodyOf(schema, 'input')
      const summary = `A command to one ${kind}`
      const given = examples.commands.get(id) ?? []
      return {
        ...about,
        action: 'receive',
        summary,
        headers: commandHeaders,
        payload,
        examples: given,
        isAnswered: true,
      }
    }),
  )
}

function effects(examples: Examples): Said[] {
  return Object.entries(requestsByService).flatMap(([service, family]) =>
    Object.entries(family).map(([name, schema]): Said => {
      const id = `${service}.${name}`
      const about = { id, name, address: `turnstile.fx.${service}.${name}`, parameters: [] }
      const summary = `One call of ${service}, in the work queue that the effect workers share`
      const payload = bodyOf(schema, 'output')
      const given = examples.effects.get(id) ?? []
      return { ...about, action: 'send', summary, headers: effectHeaders, payload, examples: given }
    }),
  )
}

const deadLetters: Said = {
  ...{ id: 'DeadLetter', name: 'DeadLetter', address: 'turnstile.dead.{kind}', parameters: ['kind'], action: 'send' },
  summary: 'Tells that a message or an effect has become a dead letter. At most once; the letter itself is in Postgres',
  headers: { type: 'object' },
  payload: {
    type: 'object',
    properties: {
      message_id: text('With it, `turnstile dead-letters show` shows the letter'),
      kind: text('The kind of the actor, or the service'),
      actor_id: text('Whom it was for, or who has asked'),
      type: text('The name of the message'),
      code: text('One of docs/errors.md'),
      cause: text('What went wrong, in words'),
      correlation_id: text('Names the whole story'),
      at: { type: 'string', format: 'date-time' },
    },
    required: ['message_id', 'kind', 'actor_id', 'type', 'code', 'cause', 'correlation_id', 'at'],
  },
  examples: [],
}

/**
 * As JSON Schema draft 7, which AsyncAPI's own schemas are made on. The name of a message is in its subject, and not in its
 * body.
 */
function bodyOf(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  const { $schema: _, ...whole } = z.toJSONSchema(schema, { io, target: 'draft-7' }) as JsonSchema
  const { type: __, ...properties } = whole.properties ?? {}
  return { ...whole, properties, required: (whole.required ?? []).filter((name) => name !== 'type') }
}

const parameterTexts: Record<string, string> = {
  id: 'The id of the actor, a UUID in lower case',
  kind: 'The kind of the actor, or the service',
}

function channelOf({ id, address, parameters, summary }: Said): object {
  const described = parameters.map((name) => [name, { description: parameterTexts[name] }])
  return {
    address,
    description: summary,
    ...(described.length > 0 && { parameters: Object.fromEntries(described) }),
    messages: { [id]: messageRef(id) },
  }
}

function operationOf({ id, action, summary, isAnswered }: Said): object {
  const reply = {
    address: { location: '$message.header#/Reply-To' },
    channel: { $ref: '#/channels/answers' },
    messages: [{ $ref: '#/channels/answers/messages/Answer' }],
  }
  const channel = { $ref: `#/channels/${id}` }
  const messages = [{ $ref: `#/channels/${id}/messages/${id}` }]
  return { action, summary, channel, messages, ...(isAnswered && { reply }) }
}

function messageOf({ name, headers, payload, examples }: Said): object {
  const given = examples.map((payload) => ({ payload }))
  return { name, headers, payload, ...(given.length > 0 && { examples: given }) }
}

const messageRef = (id: string): object => ({ $ref: `#/components/messages/${id}` })
