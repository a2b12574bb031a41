import { z } from 'zod'
import type { SpreadsheetsRequest } from '../../schemas/services.ts'
import type { ServiceAdapter } from './service.ts'

/** People work in these sheets too, and may have left other things in a row than text. */
const sheetRows = z.object({ rows: z.array(z.array(z.unknown())) })

const rowsPath = ({ sheet }: SpreadsheetsRequest) => `/spreadsheets-api/sheets/${sheet}/rows` as const

/** The append takes no idempotency key: the row itself, which is some ticket's, shows whether it was appended. */
export const spreadsheets: ServiceAdapter<'spreadsheets', 'ticket'> = {
  service: 'spreadsheets',
  concurrency: 16,
  calls: {
    AppendRow: {
      toHttp: (request) => ({ method: 'POST', path: rowsPath(request), body: { columns: request.columns } }),
      done: [200],
      refused: [400],
      onDone: ({ sheet }) => ({ type: 'RowAppended', sheet }),
      readBack: {
        toHttp: (request) => ({ method: 'GET', path: rowsPath(request) }),
        isDone: ({ columns }, answer) =>
          sheetRows.parse(answer).rows.some((row) => columns.every((column, index) => column === String(row[index]))),
      },
    },
  },
}
