import assert from 'node:assert/strict'
import { test } from 'node:test'
import { problemDocument } from '../../schemas/http.ts'
import { makeOpenApi } from './openapi.ts'
import { makeDocsPage } from './pages/docs.ts'
import { problemCatalogue } from './problems.ts'
import { routes } from './routes/index.ts'

type Content = Record<string, { schema: object; example?: unknown; examples?: Record<string, { value: unknown }> }>
type Operation = {
  operationId: string
  parameters: { name: string; in: string; required?: boolean; schema: object }[]
  requestBody?: { content: Content }
  responses: Record<string, { content?: Content }>
}

const document = makeOpenApi(routes) as { openapi: string; paths: Record<string, Record<string, Operation>> }
const operationOf = ({ method, path }: (typeof routes)[number]) => document.paths[path]?.[method.toLowerCase()]

test('every route is in the document, and nothing else', () => {
  const documented = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  )
  assert.deepEqual(documented.sort(), routes.map(({ method, path }) => `${method} ${path}`).sort())
  const ids = routes.map((route) => operationOf(route)?.operationId)
  assert.equal(new Set(ids).size, routes.length)
})

test('the names in a path are parameters', () => {
  for (const route of routes) {
    const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
    const declared = operationOf(route)?.parameters.filter((parameter) => parameter.in === 'path')
    assert.deepEqual(
      declared?.map(({ name }) => name),
      inPath,
      route.path,
    )
  }
})

test('the examples are what the routes take and give', () => {
  for (const route of routes) {
    const operation = operationOf(route)
    if (route.body) {
      const example = operation?.requestBody?.content['application/json']?.example
      assert.deepEqual(route.body.parse(example), example)
    }
    const answer = operation?.responses[route.answer.status]?.content?.['application/json']?.example
    if (answer !== undefined) assert.deepEqual(route.answer.schema?.parse(answer), answer)
  }
})

test('a header that is required says so, also in the example of the page', () => {
  const [reporting] = routes.filter(({ isKeyRequired }) => isKeyRequired)
  assert.ok(reporting)
  const key = operationOf(reporting)?.parameters.find(({ name }) => name === 'Idempotency-Key')
  assert.equal(key?.required, true)
  assert.equal(operationOf(reporting)?.responses[200]?.content, undefined)
  const html = makeDocsPage([reporting], 'http://localhost:8080')
  assert.match(html, /curl -X POST \S+\/tickets-status \\\n {2}-H &#39;Idempotency-Key: /)
  assert.ok(html.includes('<code>tickets[].price.amount</code>'))
})

test('every problem is somewhere, with an example', () => {
  const seen = new Set<string>()
  for (const route of routes) {
    for (const [status, { content }] of Object.entries(operationOf(route)?.responses ?? {})) {
      for (const [code, { value }] of Object.entries(content?.['application/problem+json']?.examples ?? {})) {
        assert.equal(problemDocument.parse(value).status, Number(status))
        seen.add(code)
      }
    }
  }
  // These belong to no route: there is none for that path or method.
  for (const code of ['unknown-route', 'method-not-allowed']) seen.add(code)
  assert.deepEqual([...seen].sort(), Object.keys(problemCatalogue).sort())
})

test('the page shows every route, and loads nothing', () => {
  const html = makeDocsPage(routes, 'http://localhost:8080')
  for (const { path } of routes) assert.ok(html.includes(`<code>${path}</code>`), path)
  assert.doesNotMatch(html, /(?:src|href)="?(?:https?:)?\/\//)
})
