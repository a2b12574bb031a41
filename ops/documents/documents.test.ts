import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import specifications from '@asyncapi/specs'
import { Ajv, type AnySchema } from 'ajv'
import { commandsByKind, publicEvents, requestsByService } from '../../schemas/index.ts'
import { makeAsyncApi } from './asyncapi.ts'
import { documents } from './documents.ts'

type Message = { name: string; payload: AnySchema; examples?: { payload: unknown }[] }
type AsyncApi = {
  channels: Record<string, { address: string | null }>
  components: { messages: Record<string, Message> }
}

const asyncApi = makeAsyncApi() as AsyncApi
/** The patterns of zod are for the regular expressions of today, and its formats say nothing more. */
const ajv = new Ajv({ strict: false, validateFormats: false, logger: false })

test('the committed documents are those that the code makes; if not: npm run documents', () => {
  for (const [file, text] of Object.entries(documents())) assert.equal(readFileSync(file, 'utf8'), text, file)
})

test('the AsyncAPI document is one, by its own specification', () => {
  const specification = specifications.schemas['3.0.0']
  // It brings its own copy of draft 7 along.
  const plain = new Ajv({ strict: false, validateFormats: false, meta: false, validateSchema: false })
  const validate = plain.compile(specification as AnySchema)
  assert.ok(validate(asyncApi), JSON.stringify(validate.errors?.slice(0, 5), undefined, 1))
  assert.equal(validate({ ...asyncApi, channels: [] }), false)
})

test('every event, command and effect is in it, under its subject', () => {
  const families = (all: Record<string, object>) =>
    Object.entries(all).flatMap(([owner, family]) => Object.keys(family).map((name) => `${owner}.${name}`))
  const expected = [
    ...Object.keys(publicEvents),
    ...families(commandsByKind),
    ...families(requestsByService),
    ...['DeadLetter', 'answers'],
  ]
  assert.deepEqual(Object.keys(asyncApi.channels), expected)
  const addresses = Object.values(asyncApi.channels).flatMap(({ address }) => address ?? [])
  assert.equal(new Set(addresses).size, addresses.length)
  for (const one of [
    'turnstile.evt.booking.{id}.BookingMade_v1',
    'turnstile.cmd.ticket.{id}.RefundTicket',
    'turnstile.fx.files.StoreFile',
  ])
    assert.ok(addresses.includes(one), one)
})

test('its examples are what its schemas say', () => {
  const examples = Object.entries(asyncApi.components.messages).flatMap(([id, { payload, examples = [] }]) =>
    examples.map((example) => ({ id, payload, example: example.payload })),
  )
  assert.ok(examples.length > 40, `${examples.length} examples`)
  for (const { id, payload, example } of examples)
    assert.ok(ajv.validate(payload, example), `${id}: ${JSON.stringify(ajv.errors)}`)
})
