import { z } from 'zod'
import { badRequest, noSuchCall, type Service } from './service.ts'

const rowRequest = z.object({ columns: z.array(z.string()).min(1) })

/** Appends whatever comes, as often as it comes: this API knows no keys. */
export function spreadsheets(): Service {
  const sheets: Record<string, string[][]> = {}
  return {
    name: 'spreadsheets',
    state: () => ({ sheets }),
    handle: ({ method, path, body }) => {
      const [, sheet] = /^\/sheets\/([\w-]+)\/rows$/.exec(path) ?? []
      if (sheet === undefined) return noSuchCall
      if (method === 'GET') return { status: 200, body: { rows: sheets[sheet] ?? [] } }
      if (method !== 'POST') return noSuchCall
      const parsed = rowRequest.safeParse(body)
      if (!parsed.success) return badRequest(z.prettifyError(parsed.error))
      const rows = sheets[sheet] ?? []
      rows.push(parsed.data.columns)
      sheets[sheet] = rows
      return { status: 200, body: {} }
    },
  }
}
