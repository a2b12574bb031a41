import type { Report } from '../gateway.ts'

const style = `
  :root { color-scheme: light dark }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem }
  table { border-collapse: collapse; width: 100% }
  th, td { text-align: left; vertical-align: top; padding: .3rem .75rem .3rem 0; border-bottom: 1px solid #8884 }
  code, pre { font: 13px/1.5 ui-monospace, monospace }
  pre { overflow: auto; max-height: 24rem; background: #8881; padding: .75rem }
`

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const escapeHtml = (text: unknown): string =>
  String(text ?? '').replaceAll(/[&<>"']/g, (character) => entities[character] ?? '')

/** The report for browsers: the counts, the faults, the last calls, and what each service has. */
export function reportPage({ calls, repeats, distinct_keys, effects_by_key: _, last_calls, faults, ...state }: Report) {
  const counts = Object.keys(calls).map((name) => row([name, calls[name], distinct_keys[name], repeats[name]]))
  const last = last_calls.map(({ at, method, path, status, idempotency_key }) =>
    row([at.slice(11, 23), method, path, status, idempotency_key]),
  )
  const parts = Object.entries(state).map(([name, value]) => {
    const size = Object.keys(value as object).length
    const text = escapeHtml(JSON.stringify(value, undefined, 2))
    return `<details><summary>${escapeHtml(name)} (${size})</summary><pre>${text}</pre></details>`
  })
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Simulated services</title>
<style>${style}</style>
<h1>Simulated services</h1>
<table>${head(['Service', 'Calls', 'Distinct keys', 'Repeats'])}${counts.join('')}</table>
<h2>Faults</h2>
<p>Set with <code>PUT /_faults</code>, cleared with <code>DELETE /_faults</code>.</p>
<pre>${escapeHtml(JSON.stringify(faults, undefined, 2))}</pre>
<h2>What they have</h2>
${parts.join('\n')}
<h2>Last calls</h2>
<table>${head(['At', 'Method', 'Path', 'Status', 'Idempotency key'])}${last.join('')}</table>
</html>
`
}

const row = (cells: unknown[]): string => `<tr>${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>`
const head = (cells: string[]): string => `<tr>${cells.map((cell) => `<th>${cell}</th>`).join('')}</tr>`
