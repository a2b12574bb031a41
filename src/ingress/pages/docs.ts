import { exampleOf, type JsonSchema, schemaOf } from '../openapi.ts'
import { type ProblemCode, problemCatalogue } from '../problems.ts'
import { fillPath, type Route } from '../route.ts'
import { escapeHtml, page, prose } from './page.ts'

/**
 * The page at `/docs`: every route, with what it takes and gives, and a line to try it with.
 *
 * @param url where the examples find the server
 */
export function makeDocsPage(routes: readonly Route[], url: string): string {
  const groups = [...new Set(routes.map(({ group }) => group))]
  const sections = groups.map((group) => {
    const ofGroup = routes.filter((route) => route.group === group)
    return `<h2>${group}</h2>${ofGroup.map((route) => routeHtml(route, url)).join('')}`
  })
  return page(
    'Turnstile API',
    `<h1>Turnstile</h1>
<p>Sells tickets. The same for machines: <a href="/openapi.json">openapi.json</a>.</p>
<p>Every POST and PUT takes an <code>Idempotency-Key</code>: the same key and body again gets the first answer back and does nothing
twice. Every answer carries a <code>Correlation-ID</code>, yours or a new one, which the logs know. Errors are
<code>application/problem+json</code>; their <code>type</code> is a page here.</p>
${sections.join('\n')}
<h2>Problems</h2>
${problemTable()}`,
  )
}

function routeHtml(route: Route, url: string): string {
  const { method, path, summary, description, roles, params, query, body, answer, problems, isKeyRequired } = route
  return `
<details${body ? ' open' : ''}>
<summary><span class="method ${method}">${method}</span> <code>${path}</code> <span class="soft">${prose(summary)}</span></summary>
${description === undefined ? '' : `<p>${prose(description)}</p>`}
${roles === 'anyone' ? '' : `<p class="soft">For ${roles.map(escapeHtml).join(', ')}.</p>`}
${params ? fieldTable('In the path', params) : ''}
${query ? fieldTable('In the query', query) : ''}
${isKeyRequired ? '<p>The header <code>Idempotency-Key</code> is required.</p>' : ''}
${body ? fieldTable('Body', body) : ''}
<div class="example"><pre>${escapeHtml(curlLine(route, url))}</pre></div>
<p><b>${answer.status}</b> ${prose(answer.description)}</p>
${answer.schema ? fieldTable('Answer', answer.schema, 'output') : ''}
${problems.length > 0 ? `<p class="soft">${problems.map(problemLink).join(' · ')}</p>` : ''}
</details>`
}

function fieldTable(title: string, schema: NonNullable<Route['body']>, io: 'input' | 'output' = 'input'): string {
  const rows = fieldsOf(schemaOf(schema, io)).map(({ name, field, isRequired }) => {
    const type = typeOf(field) + (isRequired ? '' : ', optional')
    const description = prose(String(field.description ?? ''))
    return `<tr><td><code>${name}</code></td><td>${escapeHtml(type)}</td><td>${description}</td></tr>`
  })
  return rows.length === 0 ? '' : `<table><tr><th>${title}</th><th></th><th></th></tr>${rows.join('')}</table>`
}

type Field = { name: string; field: JsonSchema; isRequired: boolean }

/** All fields, those within others too: `tickets[].price.amount`. */
function fieldsOf({ properties = {}, required = [] }: JsonSchema, prefix = ''): Field[] {
  return Object.entries(properties).flatMap(([name, field]) => {
    const own = { name: prefix + name, field, isRequired: required.includes(name) }
    const within = field.items ? fieldsOf(field.items, `${own.name}[].`) : fieldsOf(field, `${own.name}.`)
    return [own, ...within]
  })
}

/** A field's type in words: `integer, 1 to 1000`. */
function typeOf({ type, format, minimum, maximum, maxLength, minItems, maxItems, anyOf, ...rest }: JsonSchema): string {
  if (rest.enum) return rest.enum.join(' | ')
  if (rest.const !== undefined) return JSON.stringify(rest.const)
  if (anyOf) return anyOf.map(typeOf).join(' | ')
  if (maxItems !== undefined) return `${type}, ${minItems} to ${Number(maxItems).toLocaleString('en')}`
  if (Number(maximum) < Number.MAX_SAFE_INTEGER) {
    return `${type}, ${minimum} to ${Number(maximum).toLocaleString('en')}`
  }
  if (format !== undefined) return String(format)
  return maxLength === undefined ? String(type) : `${type}, up to ${maxLength} characters`
}

function curlLine({ method, path, params, query, body, isKeyRequired }: Route, url: string): string {
  const values = params ? exampleOf(schemaOf(params, 'input')) : {}
  const search = query ? requiredOf(schemaOf(query, 'input')) : ''
  const lines = [`curl${method === 'GET' ? '' : ` -X ${method}`} ${url}${fillPath(path, values)}${search}`]
  if (isKeyRequired) lines.push("-H 'Idempotency-Key: 019389c9-0d10-7c55-b2a4-71c3f08e9d26'")
  if (body) {
    const example = JSON.stringify(exampleOf(schemaOf(body, 'input')), null, 2)
    lines.push("-H 'Content-Type: application/json'", `-d '${example}'`)
  }
  return lines.join(' \\\n  ')
}

/** What must stand behind the `?`, with its examples. */
function requiredOf(schema: JsonSchema): string {
  const examples = exampleOf(schema)
  const pairs = (schema.required ?? []).map((name) => `${name}=${examples[name]}`)
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`
}

function problemLink(code: ProblemCode): string {
  return `<a href="/problems/${code}">${problemCatalogue[code].status} ${code}</a>`
}

function problemTable(): string {
  const rows = Object.entries(problemCatalogue).map(([code, { title }]) => {
    return `<tr><td>${problemLink(code as ProblemCode)}</td><td>${prose(title)}</td></tr>`
  })
  return `<table>${rows.join('')}</table>`
}
