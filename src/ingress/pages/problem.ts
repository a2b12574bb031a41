import { type ProblemCode, problemCatalogue } from '../problems.ts'
import { page, prose } from './page.ts'

/** What `/problems/<code>` shows. */
export function problemPage(code: ProblemCode): string {
  const { status, title, meaning, remedy } = problemCatalogue[code]
  return page(
    title,
    `<p class="soft"><a href="/docs">API</a> / problems / <code>${code}</code></p>
<h1>${prose(title)}</h1>
<p class="soft">HTTP status ${status}</p>
<h2>What happened</h2>
<p>${prose(meaning)}</p>
<h2>What to do</h2>
<p>${prose(remedy)}</p>`,
  )
}
