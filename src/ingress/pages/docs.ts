import { exampleOf, problemsOf, schemaOf } from '../openapi.ts'
import { problemCatalogue } from '../problems.ts'
import type { Route } from '../route.ts'
import { escapeHtml, page, prose } from './page.ts'

/** The page at `/docs`: every route, with what it takes and gives, and a line to try it with. */
export function makeDocsPage(routes: readonly Route[]): string {
  const groups = [...new Set(routes.map(({ group }) => group))]
  const sections = groups.map((group) => {
    return `<h2>${group}</h2>${routes
      .filter((route) => route.group === group)
      .map(routeHtml)
      .join('')}`
  })
  return page(
    'Turnstile API',
    `<h1>Turnstile</h1>
<p>Sells tickets. The same for machines: <a href="/openapi.json">openapi.json</a>.</p>
<p>Every POST takes an <code>Idempotency-Key</code>: the same key and body again gets the first answer back and does nothing
twice. Every answer carries a <code>Correlation-ID</code>, yours or a new one, which the logs know. Errors are
<code>application/problem+json</code>; their <code>type</code> is a page here.</p>
${sections.join('\n')}`,
  )
}

function routeHtml(route: Route): string {
  const { method, path, summary, description, params, body, answer } = route
  return `
<details${body ? ' open' : ''}>
<summary><span class="method ${method}">${method}</span> <code>${path}</code> <span class="soft">${prose(summary)}</span></summary>
${description === undefined ? '' : `<p>${prose(description)}</p>`}
${params ? fieldTable('In the path', params) : ''}
${body ? fieldTable('Body', body) : ''}
<div class="example"><pre>${escapeHtml(curlLine(route))}</pre></div>
<p><b>${answer.status}</b> ${prose(answer.description)}</p>
${answer.schema ? fieldTable('Answer', answer.schema, 'output') : ''}
<p class="soft">${problemsOf(route).map(problemLink).join(' · ')}</p>
</details>`
}

function fieldTable(title: string, schema: NonNullable<Route['body']>, io: 'input' | 'output' = 'input'): string {
  const { properties = {}, required = [] } = schemaOf(schema, io)
  const rows = Object.entries(properties).map(([name, field]) => {
    const isOptional = !(required as string[]).includes(name)
    return `<tr><td><code>${name}</code></td><td>${escapeHtml(typeOf(field))}${isOptional ? ', optional' : ''}</td><td>${prose(String(field.description ?? ''))}</td></tr>`
  })
  return rows.length === 0 ? '' : `<table><tr><th>${title}</th><th></th><th></th></tr>${rows.join('')}</table>`
}

/** A field's type in words: `integer, 1 to 1000`. */
function typeOf({ type, format, minimum, maximum, maxLength, enum: choices }: Record<string, unknown>): string {
  if (Array.isArray(choices)) return choices.join(' | ')
  if (minimum !== undefined && Number(maximum) < Number.MAX_SAFE_INTEGER) return `${type}, ${minimum} to ${maximum}`
  if (format !== undefined) return String(format)
  return maxLength === undefined ? String(type) : `${type}, up to ${maxLength} characters`
}

function curlLine({ method, path, params, body }: Route): string {
  const values = params ? exampleOf(schemaOf(params, 'input')) : {}
  const url = `http://localhost:8080${path.replaceAll(/\{(\w+)\}/g, (_, name: string) => String(values[name]))}`
  if (!body) return `curl ${url}`
  return `curl -X ${method} ${url} \\
  -H 'Content-Type: application/json' \\
  -d '${JSON.stringify(exampleOf(schemaOf(body, 'input')))}'`
}

function problemLink(code: keyof typeof problemCatalogue): string {
  return `<a href="/problems/${code}">${problemCatalogue[code].status} ${code}</a>`
}
