import { type AuditHead, type AuditRow, chainStart, hashOf } from '../store/audit-chain.ts'
import type { Inspection } from '../store/inspection.ts'
import type { Findings } from './findings.ts'

const pageRows = 1_000

/**
 * Follows the audit log from its first row to its last. The head is read before and after, as the log may grow meanwhile.
 *
 * @param anchor a head that was noted elsewhere: whoever rewrites the log and its head cannot rewrite that
 */
export async function checkAudit(
  inspection: Inspection,
  anchor: AuditHead | undefined,
  findings: Findings,
): Promise<void> {
  const head = await inspection.auditHead()
  const marks = [
    { name: 'the head of the log', ...head },
    ...(anchor ? [{ name: 'the head that was given', ...anchor }] : []),
  ]
  let last = chainStart
  for (;;) {
    const rows = await inspection.auditAfter(last.seq, pageRows)
    for (const row of rows) {
      checkLink(last, row, findings)
      for (const { name, seq, hash } of marks) {
        if (seq === row.seq && hash !== row.hash) differ(findings, row.seq, `${hash}, as ${name} says`, row.hash)
      }
      last = row
    }
    if (rows.length === 0) break
  }
  for (const { name, seq } of marks) {
    if (seq > last.seq) differ(findings, seq, `a row, as ${name} says`, `the log ends with row ${last.seq}`)
  }
  const { seq } = await inspection.auditHead()
  if (last.seq > seq)
    differ(findings, last.seq, `${seq} as the last row, as the head of the log says`, `row ${last.seq}`)
}

function checkLink(last: AuditHead, row: AuditRow, findings: Findings): void {
  findings.look('audit')
  if (row.seq !== last.seq + 1) differ(findings, last.seq + 1, 'a row', `none; row ${row.seq} comes next`)
  else if (row.previous !== last.hash) differ(findings, row.seq, `it follows on ${last.hash}`, `on ${row.previous}`)
  const hash = hashOf(row)
  if (hash !== row.hash) differ(findings, row.seq, `the hash ${hash}, by what the row says`, row.hash)
}

function differ(findings: Findings, seq: number, expected: string, found: string): void {
  findings.differ('audit', { where: `audit row ${seq}`, expected, found, look: 'turnstile audit list' })
}
