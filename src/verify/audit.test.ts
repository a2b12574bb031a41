import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type AuditHead, type AuditRow, chainStart, hashOf } from '../store/audit-chain.ts'
import type { Inspection } from '../store/inspection.ts'
import { auditOf } from './audit.fixtures.ts'
import { checkAudit } from './audit.ts'
import { Findings } from './findings.ts'

const sound = auditOf(['pause', 'resume', 'redrive', 'rebuild'])
const headOf = (rows: AuditRow[]): AuditHead => rows.at(-1) ?? chainStart

/** Where the first difference is, and how many there are. */
async function look(rows: AuditRow[], head = headOf(sound), anchor?: AuditHead) {
  const findings = new Findings()
  const log = {
    auditAfter: async (seq: number, limit: number) => {
      return rows
        .filter((row) => row.seq > seq)
        .sort((a, b) => a.seq - b.seq)
        .slice(0, limit)
    },
    auditHead: async () => head,
  }
  await checkAudit(log as unknown as Inspection, anchor, findings)
  const { looked, differences, first } = findings.verdicts.audit
  return { looked, differences, where: first?.where, expected: first?.expected }
}

/** The log with one row in another's stead. */
const withRow = (seq: number, change: (row: AuditRow) => Partial<AuditRow>): AuditRow[] =>
  sound.map((row) => (row.seq === seq ? { ...row, ...change(row) } : row))

describe('the audit log', () => {
  test('that is sound is found sound, also an empty one', async () => {
    assert.deepEqual(await look(sound), { looked: 4, differences: 0, where: undefined, expected: undefined })
    assert.equal((await look([], chainStart)).differences, 0)
  })

  test('a row that says something else is named, whatever it says', async () => {
    for (const field of ['at', 'who', 'act', 'subject', 'reason', 'details'] as const)
      assert.equal((await look(withRow(2, () => ({ [field]: 'other' })))).where, 'audit row 2', field)
  })

  test('a row that was changed and hashed anew is found out by the next one', async () => {
    const rows = withRow(2, (row) => ({ who: 'bert', hash: hashOf({ ...row, who: 'bert' }) }))
    const { where, differences } = await look(rows)
    assert.deepEqual([where, differences], ['audit row 3', 1])
  })

  test('a row that is gone, and rows that changed places, are named', async () => {
    assert.equal((await look(sound.filter(({ seq }) => seq !== 2))).where, 'audit row 2')
    assert.equal((await look(sound.filter(({ seq }) => seq !== 1))).where, 'audit row 1')
    const swapped = sound.map((row) => ({ ...row, seq: row.seq === 2 ? 3 : row.seq === 3 ? 2 : row.seq }))
    assert.equal((await look(swapped)).where, 'audit row 2')
  })

  test('an end that was cut off is found out by the head, and with the head by one that was noted elsewhere', async () => {
    const cut = sound.slice(0, 2)
    assert.equal((await look(cut)).expected, 'a row, as the head of the log says')
    assert.equal((await look(cut, headOf(cut))).differences, 0)
    assert.equal((await look(cut, headOf(cut), headOf(sound))).expected, 'a row, as the head that was given says')
    const rewritten = auditOf(['pause', 'pause', 'pause', 'pause'])
    assert.equal((await look(rewritten, headOf(rewritten), headOf(sound))).where, 'audit row 4')
  })

  test('a row behind its end is found out', async () => {
    assert.equal((await look(sound, headOf(sound.slice(0, 3)))).where, 'audit row 4')
  })
})
