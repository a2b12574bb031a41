import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { Store } from '../engine/ports.ts'
import type { Changes, LiveProjections, ReadRow } from '../engine/read-model-ports.ts'
import { until } from './database.fixtures.ts'
import { batchOf, claimed, joined, one } from './store.fixtures.ts'

/** A store with four partitions, and connections to the read models that are made of its journal. */
export type ProjectionsHarness = {
  store: Store
  open(): LiveProjections
  /** Cuts the connection of whoever leads. */
  endLead(): Promise<void>
  close(): Promise<void>
}

export const row = (partition: number, fields: object): ReadRow => ({
  partition,
  kind: 'ticket',
  id: randomUUID(),
  fields,
})
export const changes = (given: Partial<Changes>): Changes => ({
  name: 'tickets',
  moves: [],
  put: [],
  gone: [],
  ...given,
})

/** What read models are kept by, whatever they are kept in. */
export function projectionFeatures(name: string, open: () => Promise<ProjectionsHarness>): void {
  describe(`${name}: read models`, () => {
    let harness: ProjectionsHarness
    let store: Store
    beforeEach(async () => {
      harness = await open()
      store = harness.store
    })
    afterEach(() => harness.close())
    const live = () => harness.open()

    describe('the journal, as projections read it', () => {
      it('tells what lags, and by how much', async () => {
        const projections = live()
        const [first, second] = await claimed(store, 'anna', 0, 1)
        assert.ok(first && second)
        await store.commit(joined(batchOf(first, {}, {}), batchOf(second, {})))
        assert.deepEqual(await projections.lags(['tickets']), [])
        await projections.enroll(['tickets', 'shows'])
        await projections.enroll(['tickets'])
        await projections.write([changes({ moves: [{ partition: 0, after: 0, upTo: 1 }] })])
        assert.deepEqual(await projections.lags(['tickets']), [
          { name: 'tickets', partition: 0, position: 1, head: 2 },
          { name: 'tickets', partition: 1, position: 0, head: 1 },
        ])
      })

      it('gives the turns of some kinds that have events, in order', async () => {
        const partition = one(await claimed(store, 'anna', 2))
        const ignored = { outcome: 'ignored' as const, because: 'it is known' }
        const batch = batchOf(partition, { kind: 'ticket' }, {}, { kind: 'show' }, { decision: ignored }, {}, {})
        await store.commit(batch)
        const found = await live().readEvents([{ partition: 2, after: 0, upTo: 5 }], ['booking', 'ticket'])
        const expected = batch.turns.flatMap(({ position, kind, actorId, version, at, decision: { events } }) =>
          [1, 2, 5].includes(position) ? { partition: 2, position, kind, actorId, version, at, events } : [],
        )
        assert.deepEqual(found, expected)
      })
    })

    describe('writing', () => {
      it('puts, replaces and removes rows together with the positions', async () => {
        const projections = live()
        await projections.enroll(['tickets', 'shows'])
        const [kept, removed, untouched] = [row(0, { n: 1 }), row(0, { n: 2 }), row(1, { n: 3 })]
        const show = { ...row(0, { n: 4 }), kind: 'show' }
        const move = { partition: 0, after: 0, upTo: 7 }
        assert.ok(
          await projections.write([
            changes({ moves: [move], put: [kept, removed, untouched] }),
            changes({ name: 'shows', moves: [move], put: [show] }),
          ]),
        )
        const next = { partition: 0, after: 7, upTo: 9 }
        const { fields: _, ...gone } = removed
        const text = { text: 'one\ntwo\0' }
        assert.ok(await projections.write([changes({ moves: [next], put: [{ ...kept, fields: text }], gone: [gone] })]))
        const rows = await projections.loadRows('tickets', [kept, removed, untouched])
        assert.deepEqual(rows, [{ ...kept, fields: { text: 'one\ntwo\ufffd' } }, untouched])
        assert.deepEqual(await projections.loadRows('shows', [show]), [show])
      })

      it('writes nothing when one of the positions is not where it must be', async () => {
        const projections = live()
        await projections.enroll(['tickets', 'shows'])
        const stale = { partition: 1, after: 5, upTo: 6 }
        const put = [row(0, { n: 1 })]
        assert.equal(
          await projections.write([
            changes({ moves: [{ partition: 0, after: 0, upTo: 1 }], put }),
            changes({ name: 'shows', moves: [stale] }),
          ]),
          false,
        )
        assert.deepEqual(await projections.loadRows('tickets', put), [])
        assert.ok(await projections.write([changes({ moves: [{ partition: 0, after: 0, upTo: 1 }] })]))
      })

      it('lets one of two win who do the same at once', async () => {
        const [one, other] = [live(), live()]
        await one.enroll(['tickets'])
        for (let position = 0; position < 20; position++) {
          const same = [changes({ moves: [{ partition: 0, after: position, upTo: position + 1 }] })]
          const written = await Promise.all([one.write(same), other.write(same)])
          assert.deepEqual(written.sort(), [false, true])
        }
      })
    })

    describe('the lead', () => {
      it('is with one until its connection is gone', async () => {
        const [one, other] = [live(), live()]
        assert.deepEqual([await one.lead(), await other.lead(), await one.lead()], [true, false, true])
        await harness.endLead()
        await until(() => other.lead())
        await until(async () => !(await one.lead().catch(() => true)))
      })
    })
  })
}
