import { exampleOf, schemaOf } from '../openapi.ts'
import { type ProblemCode, problemCatalogue } from '../problems.ts'
import type { Route } from '../route.ts'
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
<p>Every POST takes an <code>Idempotency-Key</code>: the same key and body again gets the first answer back and does nothing
twice. Every answer carries a <code>Correlation-ID</code>, yours or a new one, which the logs know. Errors are
<code>application/problem+json</code>; their <code>type</code> is a page here.</p>
${sections.join('\n')}
<h2>Problems</h2>
${problemTable()}`,
  )
}

function routeHtml(route: Route, url: string): string {
  const { method, path, summary, description, params, body, answer, problems } = route
  return `
<details${body ? ' open' : ''}>
<summary><span class="method ${method}">${method}</span> <code>${path}</code> <span class="soft">${prose(summary)}</span></summary>
${description === undefined ? '' : `<p>${prose(description)}</p>`}
${params ? fieldTable('In the path', params) : ''}
${body ? fieldTable('Body', body) : ''}
<div class="example"><pre>${escapeHtml(curlLine(route, url))}</pre></div>
<p><b>${answer.status}</b> ${prose(answer.description)}</p>
${answer.schema ? fieldTable('Answer', answer.schema, 'output') : ''}
${problems.length > 0 ? `<p class="soft">${problems.map(problemLink).join(' · ')}</p>` : ''}
</details>`
}

function fieldTable(title: string, schema: NonNullable<Route['body']>, io: 'input' | 'output' = 'input'): string {
  const { properties = {}, required = [] } = schemaOf(schema, io)
  const rows = Object.entries(properties).map(([name, field]) => {
    const type = typeOf(field) + ((required as string[]).includes(name) ? '' : ', optional')
    const description = prose(String(field.description ?? ''))
    return `<tr><td><code>${name}</code></td><td>${escapeHtml(type)}</td><td>${description}</td></tr>`
  })
  return rows.length === 0 ? '' : `<table><tr><th>${title}</th><th></th><th></th></tr>${rows.join('')}</table>`
}

/** A field's type in words: `integer, 1 to 1000`. */
function typeOf({ type, format, minimum, maximum, maxLength, enum: choices }: Record<string, unknown>): string {
  if (Array.isArray(choices)) return choices.join(' | ')
  if (Number(maximum) < Number.MAX_SAFE_INTEGER) {
    return `${type}, ${minimum} to ${Number(maximum).toLocaleString('en')}`
  }
  if (format !== undefined) return String(format)
  return maxLength === undefined ? String(type) : `${type}, up to ${maxLength} characters`
}

function curlLine({ method, path, params, body }: Route, url: string): string {
  const values = params ? exampleOf(schemaOf(params, 'input')) : {}
  const target = `${url}${path.replaceAll(/\{(\w+)\}/g, (_, name: string) => String(values[name]))}`
  if (!body) return `curl ${target}`
  return `curl -X ${method} ${target} \\
  -H 'Content-Type: application/json' \\
  -d '${JSON.stringify(exampleOf(schemaOf(body, 'input')), null, 2)}'`
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
