import { type AuditRow, chainStart, hashOf } from '../store/audit-chain.ts'

/** A sound audit log in which these acts were done, one after the other. */
export function auditOf(acts: string[]): AuditRow[] {
  const rows: AuditRow[] = []
  for (const [index, act] of acts.entries()) {
    const row = {
      seq: index + 1,
      at: `2030-01-01T00:00:00.00000${index}Z`,
      who: 'ada',
      act,
      subject: 'service payments',
      reason: 'a "try"\n\u001f\u007fé',
      details: '{"a": 1}',
      previous: rows.at(-1)?.hash ?? chainStart.hash,
    }
    rows.push({ ...row, hash: hashOf(row) })
  }
  return rows
}
