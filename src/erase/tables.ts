import type { ErasableTable, ErasureStore, FoundRow } from '../store/erasure.ts'
import { eraseBytes, eraseText } from './document.ts'
import type { Work } from './erase.ts'

/** How many blocks of a table are looked at in one statement: some thousand rows. */
const pageBlocks = 1_000

/**
 * Looks through every table, and writes over the rows that name the customer. The states of actors come first: from then on no
 * turn can take the address from there.
 *
 * @returns how many rows named the customer, by table
 */
export async function eraseTables(store: ErasureStore, work: Work): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  for (const table of await store.tables()) {
    for (let from = 0; from < table.blocks; from += pageBlocks) {
      const found = await store.find(table, work.email, from, from + pageBlocks)
      const rows = found.flatMap((row) => withoutCustomer(table, row, work))
      if (rows.length > 0) counts.set(table.name, (counts.get(table.name) ?? 0) + rows.length)
      if (rows.length > 0 && !work.isDryRun) await store.replace(table, rows)
      work.showProgress(`${table.name}: ${Math.min(from + pageBlocks, table.blocks)} of ${table.blocks} blocks`)
    }
  }
  return counts
}

/** @returns the row as it is to be, or nothing when it need not change */
function withoutCustomer({ columns }: ErasableTable, row: FoundRow, { erase }: Work): FoundRow[] {
  const values = row.values.map((value, index) => {
    if (value === null) return null
    if (columns[index]?.type !== 'bytea') return eraseText(value, erase)
    return Buffer.from(eraseBytes(Buffer.from(value, 'hex'), erase)).toString('hex')
  })
  return values.some((value, index) => value !== row.values[index]) ? [{ ...row, values }] : []
}
