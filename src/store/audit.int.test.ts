import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { type AuditStore, openAudit } from './audit.ts'
import { chainStart, hashOf } from './audit-chain.ts'
import { type OpenDatabase, openDatabase } from './database.fixtures.ts'
import { openRefundAudit, type RefundAudit } from './refund-audit.ts'
import { batchOf, claimed, one } from './store.fixtures.ts'

const options = { applicationName: 'test audit', deadlineMs: 5_000 }

describe('the audit log in Postgres', () => {
  let database: OpenDatabase
  let log: AuditStore
  const refunds: RefundAudit[] = []
  before(async () => {
    database = await openDatabase()
  })
  after(() => database.close())
  beforeEach(async () => {
    await database.reset()
    await database.sql`truncate audit, audit_cursor`
    await database.sql`update audit_head set seq = 0, hash = repeat('0', 64)`
    log = openAudit({ url: database.url, ...options })
  })
  afterEach(async () => {
    await Promise.all(refunds.splice(0).map((each) => each.close()))
    await log.close()
  })

  const follower = () => {
    const opened = openRefundAudit({ url: database.url, ...options })
    refunds.push(opened)
    return opened
  }

  it('is one chain, whoever appends at once', async () => {
    const others = Array.from({ length: 4 }, () => openAudit({ url: database.url, ...options }))
    const details = { text: 'a "quote"\n\t\u0001\u007f é 🎫' }
    await Promise.all(
      others.flatMap((other, i) =>
        Array.from({ length: 25 }, (_, j) =>
          other.append({ act: `try ${j}`, subject: 'it', details }, { who: `${i}` }),
        ),
      ),
    )
    await Promise.all(others.map((other) => other.close()))
    const rows = await log.last(1_000)
    assert.deepEqual(
      rows.map(({ seq }) => seq),
      Array.from({ length: 100 }, (_, index) => index + 1),
    )
    let { hash } = chainStart
    for (const row of rows) {
      assert.equal(row.previous, hash)
      assert.equal(row.hash, hashOf(row))
      hash = row.hash
    }
    assert.deepEqual(await log.head(), { seq: 100, hash })
    assert.equal((await log.last(2))[1]?.seq, 100)
    assert.equal((await log.last(1_000, 'try 3')).length, 4)
  })

  it('has each refund once, with who asked, however many keep at it', async () => {
    const store = await database.open()
    const row = one(await claimed(store, 'anna', 0))
    const refund = (last: number, meta: object, outcome: 'accepted' | 'refused' = 'accepted') => ({
      kind: 'ticket',
      actorId: `00000000-0000-4000-8000-00000000000${last}`,
      message: { type: 'RefundTicket' },
      meta: { correlationId: 'a story', ...meta },
      decision: { outcome },
    })
    const batch = batchOf(
      row,
      refund(1, { askedBy: 'key:box-office' }),
      refund(2, {}),
      refund(3, {}, 'refused'),
      refund(4, { causationId: '00000000-0000-4000-8000-00000000000c' }),
      refund(5, { askedBy: 'kate@example.com' }),
      { ...refund(6, {}), kind: 'booking' },
    )
    assert.deepEqual(await store.commit(batch), { outcome: 'committed' })
    const [first, second] = [follower(), follower()]
    await first.enroll()
    await Promise.all([first.step(), second.step(), first.step(), second.step()])
    const rows = await log.last(10)
    assert.deepEqual(
      rows.map(({ who, act, subject, details }) => [who, act, subject.at(-1), JSON.parse(details).position]),
      [
        ['key:box-office', 'refund', '1', 1],
        ['outside', 'refund', '2', 2],
        ['turnstile', 'refund', '4', 4],
        [rows[3]?.who, 'refund', '5', 5],
      ],
    )
    assert.match(rows[3]?.who ?? '', /^sha256:[0-9a-f]{64}$/)
  })
})
