import { STATUS_CODES } from 'node:http'
import { z } from 'zod'
import { problemDocument } from '../../schemas/http.ts'
import { type ProblemCode, problemCatalogue } from './problems.ts'
import { eventStream, type Route } from './route.ts'

export type JsonSchema = {
  properties?: Record<string, JsonSchema>
  required?: string[]
  items?: JsonSchema
  anyOf?: JsonSchema[]
  enum?: unknown[]
  examples?: unknown[]
  [key: string]: unknown
}

/** The OpenAPI 3.1 document of these routes. */
export function makeOpenApi(routes: readonly Route[]): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const route of routes)
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operationOf(route) }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Turnstile',
      version: '1',
      description:
        'Sells tickets. Every POST and PUT takes an `Idempotency-Key`; every answer carries a `Correlation-ID`.',
    },
    servers: [{ url: '/' }],
    tags: [...new Set(routes.map(({ group }) => group))].map((name) => ({ name })),
    paths,
    components: { schemas: { Problem: schemaOf(problemDocument, 'output') }, securitySchemes },
  }
}

const securitySchemes = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    description:
      'An API key, or a JSON Web Token. One of the roles that are named will do. A server that runs without authentication ' +
      'asks nobody.',
  },
  signature: {
    type: 'apiKey',
    in: 'header',
    name: 'webhook-signature',
    description:
      'By Standard Webhooks, with `webhook-id` and `webhook-timestamp`. Required where the server has secrets for it.',
  },
}

/** Any one of these lets a caller through. */
function securityOf({ roles, isSigned }: Route): object[] {
  if (roles === 'anyone') return []
  return [...(isSigned ? [{ signature: [] }] : []), { bearer: roles }]
}

/** What a route takes and gives, by the same schemas that parse it, as JSON Schema 2020-12. */
export function schemaOf(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, target: 'draft-2020-12' })
  return rest as JsonSchema
}

/** An example of an object, made from those of its fields. A field without any is left out. */
export function exampleOf({ properties = {} }: JsonSchema): Record<string, unknown> {
  const entries = Object.entries(properties).map(([name, { examples = [] }]) => [name, examples[0]])
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined))
}

/** Every problem that a route can be answered with. */
function problemsOf({ problems, body, roles, isSigned }: Route): ProblemCode[] {
  const bodyProblems: ProblemCode[] = ['malformed-json', 'body-too-large', 'unsupported-media-type']
  const everywhere: ProblemCode[] = ['malformed-http', 'request-timeout', 'headers-too-large', 'internal']
  const guardProblems: ProblemCode[] = ['unauthenticated', 'forbidden', 'too-many-requests', 'unavailable']
  const codes = new Set([
    ...problems,
    ...(body ? bodyProblems : []),
    ...(roles === 'anyone' ? [] : guardProblems),
    ...(isSigned ? (['invalid-signature'] as const) : []),
    ...everywhere,
  ])
  return [...codes].sort((a, b) => problemCatalogue[a].status - problemCatalogue[b].status)
}

function operationOf(route: Route): object {
  const { group, summary, description, body } = route
  return {
    operationId: `${route.method.toLowerCase()}${route.path.replaceAll(/[^a-z]+(.)?/g, (_, letter = '') => letter.toUpperCase())}`,
    tags: [group],
    summary,
    security: securityOf(route),
    ...(description === undefined ? {} : { description }),
    parameters: [...pathParameters(route), ...queryParameters(route), ...headerParameters(route)],
    ...(body ? { requestBody: { required: true, content: jsonContent(schemaOf(body, 'input')) } } : {}),
    responses: { [route.answer.status]: answerOf(route), ...problemAnswers(route) },
  }
}

function pathParameters({ params }: Route): object[] {
  const { properties = {} } = params ? schemaOf(params, 'input') : {}
  return Object.entries(properties).map(([name, schema]) => ({ name, in: 'path', required: true, schema }))
}

function queryParameters({ query }: Route): object[] {
  const { properties = {}, required = [] } = query ? schemaOf(query, 'input') : {}
  return Object.entries(properties).map(([name, schema]) => {
    return { name, in: 'query', required: required.includes(name), schema }
  })
}

const correlationHeader = {
  description: 'Names the whole story in every log line and message',
  schema: { type: 'string' },
}

function headerParameters({ method, isKeyRequired = false, answer }: Route): object[] {
  const correlation = { name: 'Correlation-ID', in: 'header', ...correlationHeader }
  const traceparent = {
    name: 'traceparent',
    in: 'header',
    description: 'W3C trace context',
    schema: { type: 'string' },
  }
  const key = {
    name: 'Idempotency-Key',
    in: 'header',
    required: isKeyRequired,
    description: 'The same key and body again gets the first answer back and does nothing twice. Best a UUIDv7',
    schema: { type: 'string', minLength: 1, maxLength: 255 },
  }
  const lastEvent = {
    name: 'Last-Event-ID',
    in: 'header',
    description: 'The `id` of the last event that came: the stream goes on behind it',
    schema: { type: 'string' },
  }
  if (answer.type === eventStream) return [lastEvent, correlation]
  return method === 'GET' ? [correlation] : [key, correlation, traceparent]
}

function answerOf({ answer: { description, schema, type } }: Route): object {
  const answer = { description, headers: { 'Correlation-ID': correlationHeader } }
  if (schema) return { ...answer, content: jsonContent(schemaOf(schema, 'output')) }
  return type === undefined ? answer : { ...answer, content: { [type]: { schema: { type: 'string' } } } }
}

function jsonContent(schema: JsonSchema): object {
  const example = exampleOf(schema)
  return { 'application/json': { schema, ...(Object.keys(example).length > 0 ? { example } : {}) } }
}

/** One answer for each status; which problems it can be is in its description and its examples. */
function problemAnswers(route: Route): Record<string, object> {
  const codes = problemsOf(route)
  const answers: Record<string, object> = {}
  for (const status of new Set(codes.map((code) => problemCatalogue[code].status))) {
    const here = codes.filter((code) => problemCatalogue[code].status === status)
    answers[status] = {
      description: `${STATUS_CODES[status]}: ${here.map((code) => `\`${code}\``).join(', ')}`,
      content: {
        'application/problem+json': {
          schema: { $ref: '#/components/schemas/Problem' },
          examples: Object.fromEntries(here.map((code) => [code, { value: problemExample(code) }])),
        },
      },
      ...(status === 503 || status === 429
        ? { headers: { 'Retry-After': { description: 'Seconds', schema: { type: 'integer' } } } }
        : {}),
    }
  }
  return answers
}

function problemExample(code: ProblemCode): object {
  const { title, status, meaning } = problemCatalogue[code]
  return { type: `/problems/${code}`, title, status, detail: meaning, error: meaning }
}
