import { createHash } from 'node:crypto'

/** The shell of every page that the server shows. It loads nothing, so it works without a network. */

const style = `
  :root { color-scheme: light dark; --line: #8884; --soft: #8881; --link: light-dark(#0b57d0, #8ab4f8) }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto; padding: 0 1rem }
  h1 { margin-bottom: .25rem } h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line) }
  a { color: var(--link) }
  code, pre { font: 13px/1.5 ui-monospace, monospace }
  pre { background: var(--soft); border: 1px solid var(--line); border-radius: 6px; padding: .75rem; overflow-x: auto; margin: .5rem 0 }
  table { border-collapse: collapse; width: 100%; margin: .5rem 0 }
  td:first-child, th:first-child { width: 14rem } td:nth-child(2) { width: 16rem }
  th, td { text-align: left; vertical-align: top; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line) }
  details { border: 1px solid var(--line); border-radius: 8px; padding: .6rem 1rem; margin: .6rem 0 }
  summary { cursor: pointer } summary code { font-size: 14px }
  .method { display: inline-block; min-width: 3.2rem; font-weight: 700 }
  .GET { color: light-dark(#0b57d0, #8ab4f8) } .POST { color: light-dark(#137333, #81c995) } .PUT { color: light-dark(#9a5b00, #fdd663) }
  .soft { opacity: .75 }
  .example { position: relative } .example button { position: absolute; top: .5rem; right: .5rem }
`

/** Puts a copy button on every example, where the browser lets pages write to the clipboard. */
const script = `
  if (navigator.clipboard) for (const example of document.querySelectorAll('.example')) {
    const button = example.appendChild(document.createElement('button'))
    button.textContent = 'Copy'
    button.onclick = async () => {
      await navigator.clipboard.writeText(example.querySelector('pre').textContent)
      button.textContent = 'Copied'
      setTimeout(() => { button.textContent = 'Copy' }, 1500)
    }
  }
`

const digest = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

/** Nothing but the very style and script above. */
export const contentSecurityPolicy = `default-src 'none'; style-src ${digest(style)}; script-src ${digest(script)}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

/** @param body HTML, escaped where it needs to be */
export function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
${body}
<script>${script}</script>
</body>
</html>
`
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

export const escapeHtml = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? '')

/** Text in which `code` is set in backticks. */
export const prose = (text: string): string => escapeHtml(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>')
