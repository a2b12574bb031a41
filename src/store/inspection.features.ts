import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, test } from 'node:test'
import type { TurnRecord } from '../engine/ports.ts'
import { type AuditRow, chainStart, hashOf } from './audit-chain.ts'
import type { Inspection, PartitionView } from './inspection.ts'
import type { WholeRecord } from './memory-inspection.ts'
import { turnOf } from './store.fixtures.ts'

const ada = '00000000-0000-4000-8000-00000000000a'
const bert = '00000000-0000-4000-8000-00000000000b'
const carl = '00000000-0000-4000-8000-00000000000c'

const row = (id: number, head: number) => {
  return { id, epoch: 1, owner: null, cursor: 4, stream: 'one', head, published: head, armed: 1 }
}

/** Ada's turns lie around bert's, and bert's in the wrong order. */
const turns = [
  turnOf({ position: 1, actorId: ada, version: 1 }),
  turnOf({ position: 2, actorId: bert, version: 2 }),
  turnOf({ position: 3, actorId: bert, version: 1 }),
  turnOf({ position: 4, actorId: ada, version: 2 }),
  turnOf({ position: 5, actorId: ada, version: 1, kind: 'show' }),
  turnOf({ partition: 1, position: 1 }),
]
const wake = { at: '2030-02-01T00:00:00.000Z', correlationId: 'a story' }
const actor = { partition: 0, kind: 'booking', id: ada, version: 2, state: { status: 'made' }, wake }
const letter = {
  messageId: randomUUID(),
  kind: 'booking',
  actorId: ada,
  type: 'Wait',
  payload: Uint8Array.of(123, 125),
  status: 'requeued' as const,
  requeuedAt: '2030-01-05T00:00:00.000Z',
}

const ticketRow = (partition: number, id: string) => ({ partition, kind: 'ticket', id, fields: { ticket_id: id } })

const file = {
  partition: 1,
  name: '000001-0123456789ab.jsonl.gz',
  folder: '/archive',
  turns: 3,
  firstActor: ada,
  lastActor: bert,
  lastPosition: 17,
  sha256: '0123456789ab',
  blocks: [{ offset: 0, bytes: 12, firstActor: ada, lastActor: bert }],
  settledBefore: '2030-01-03T00:00:00.000Z',
  isDropped: true,
}
const mark = { partition: 1, kind: 'show', id: bert, version: 3, before: '2030-01-03T00:00:00.000Z' }
const ofCarl = { ...mark, id: carl }
const act = { who: 'ada', act: 'pause', subject: 'service payments', reason: 'an "outage"', details: '{}' }
const first = hashed({ ...act, seq: 1, at: '2030-01-01T00:00:00.000000Z', previous: chainStart.hash })
const second = hashed({
  ...act,
  act: 'resume',
  seq: 2,
  at: '2030-01-01T01:00:00.012345Z',
  reason: null,
  previous: first.hash,
})

const whole: WholeRecord = {
  partitions: [row(0, 5), row(1, 1), row(2, 0)],
  turns,
  actors: [
    actor,
    { partition: 1, kind: 'show', id: bert, version: 1, state: {} },
    { partition: 1, kind: 'show', id: carl, version: 3, state: {} },
  ],
  letters: [letter, { ...letter, messageId: randomUUID(), status: 'open' }],
  readModels: [
    {
      name: 'tickets',
      positions: [
        { partition: 0, position: 4 },
        { partition: 1, position: 1 },
      ],
      rows: [ticketRow(0, ada), ticketRow(1, ada), ticketRow(1, bert)],
    },
  ],
  archive: { files: [file], marks: [ofCarl] },
  pauses: [{ target: 'service', name: 'payments', who: 'ada', reason: 'double refunds', ms: 3_600_000 }],
  audit: { rows: [first, second], head: { seq: 2, hash: second.hash } },
  nowMs: Date.parse('2030-03-01T00:00:00.000Z'),
}

function hashed(row: Omit<AuditRow, 'hash'>): AuditRow {
  return { ...row, hash: hashOf(row) }
}

/** What every way to look at a record must do, whatever it is kept in. */
export function describeInspection(name: string, open: (record: WholeRecord) => Promise<Inspection>): void {
  const view = async <T>(partition: number, look: (view: PartitionView) => Promise<T>, record = whole): Promise<T> => {
    const inspection = await open(record)
    try {
      return await inspection.view(partition, look)
    } finally {
      await inspection.close()
    }
  }
  const placesOf = async (view: PartitionView, of?: { kind: string; id: string }): Promise<number[]> => {
    const all: TurnRecord[] = []
    for await (const page of view.turns(of)) all.push(...page)
    return all.map(({ position }) => position)
  }

  describe(name, () => {
    test('knows where every journal stands', async () => {
      const inspection = await open(whole)
      assert.deepEqual(
        (await inspection.heads()).map(({ id, head }) => [id, head]),
        [
          [0, 5],
          [1, 1],
          [2, 0],
        ],
      )
      await assert.rejects(
        inspection.view(7, async () => {}),
        RangeError,
      )
      assert.equal(await inspection.view(1, async (view) => view.row.head), 1)
      await inspection.close()
    })

    test('reads the audit log in pages, and its end', async () => {
      const inspection = await open({ ...whole, letters: [] })
      assert.deepEqual(await inspection.auditAfter(0, 5), [first, second])
      assert.deepEqual(await inspection.auditAfter(0, 1), [first])
      assert.deepEqual(await inspection.auditAfter(1, 5), [second])
      assert.deepEqual(await inspection.auditAfter(2, 5), [])
      assert.deepEqual(await inspection.auditHead(), { seq: 2, hash: second.hash })
      await inspection.close()
    })

    test('reads turns actor by actor, in the order of versions', async () => {
      assert.deepEqual(await view(0, (view) => placesOf(view)), [1, 4, 5, 3, 2])
      assert.deepEqual(await view(0, (view) => placesOf(view, { kind: 'booking', id: ada })), [1, 4])
      assert.deepEqual(await view(2, (view) => placesOf(view)), [])
      assert.deepEqual(await view(0, (view) => view.turn(1, 1)), turns[5])
      assert.equal(await view(0, (view) => view.turn(1, 2)), undefined)
    })

    test('reads many turns, page by page, and stops when nobody wants more', async () => {
      const many = Array.from({ length: 2_345 }, (_, index) =>
        turnOf({ position: index + 1, actorId: ada, version: index + 1 }),
      )
      const record = { ...whole, turns: many }
      const places = await view(0, (view) => placesOf(view), record)
      assert.deepEqual(
        places,
        many.map(({ position }) => position),
      )
      const first = await view(
        0,
        async (view) => {
          for await (const page of view.turns()) return page[0]?.position
          return undefined
        },
        record,
      )
      assert.equal(first, 1)
    })

    test('finds turns, states and letters, in whatever partition', async () => {
      const [, , , , , other] = turns as [...TurnRecord[]]
      const keys = [other, turns[0]].map((turn) => {
        const { kind, actorId: id, partition, messageId } = turn as TurnRecord
        return { kind, id, partition, messageId }
      })
      const unknown = { kind: 'booking', id: ada, partition: 0, messageId: randomUUID() }
      assert.deepEqual(
        (await view(0, (view) => view.findTurns([unknown, ...keys]))).map(({ position, partition }) => [
          partition,
          position,
        ]),
        [
          [1, 1],
          [0, 1],
        ],
      )
      assert.deepEqual(await view(1, (view) => view.load([{ partition: 0, kind: 'booking', id: ada }])), [actor])
      const found = await view(1, (view) => view.letters([randomUUID(), letter.messageId]))
      assert.deepEqual(
        found.map(({ payload, ...rest }) => ({ ...rest, payload: Uint8Array.from(payload) })),
        [letter],
      )
    })

    test('reads read models, as far as they have come', async () => {
      assert.deepEqual(await view(0, (view) => view.readModels()), [{ name: 'tickets', position: 4 }])
      assert.deepEqual(await view(2, (view) => view.readModels()), [])
      const keys = [ticketRow(1, bert), ticketRow(1, randomUUID()), ticketRow(0, ada)]
      const found = await view(1, (view) => view.rows('tickets', keys))
      assert.deepEqual(new Set(found), new Set([ticketRow(1, bert), ticketRow(0, ada)]))
      assert.equal(await view(1, (view) => view.countRows('tickets')), 2)
      assert.equal(await view(1, (view) => view.countRows('shows')), 0)
    })

    test('knows what is paused, and for how long', async () => {
      const inspection = await open(whole)
      const [paused, ...others] = await inspection.pauses()
      assert.ok(paused && paused.ms >= 3_600_000)
      const { ms: _, ...rest } = paused
      assert.deepEqual(
        [rest, others],
        [{ target: 'service', name: 'payments', who: 'ada', reason: 'double refunds' }, []],
      )
      await inspection.close()
    })

    test('knows the files of the archive, and of whom they are', async () => {
      assert.deepEqual(await view(1, (view) => view.archiveFiles()), [file])
      assert.deepEqual(await view(0, (view) => view.archiveFiles()), [])
      assert.deepEqual(await view(0, (view) => view.archiveMarks([actor, mark, ofCarl])), [ofCarl])
    })

    test('tells a message taken twice, a state without turns, and the first alarm', async () => {
      assert.equal(await view(0, (view) => view.repeated()), undefined)
      assert.equal(await view(0, (view) => view.stray()), undefined)
      assert.deepEqual(await view(1, (view) => view.stray()), { kind: 'show', id: bert })
      const archived = { ...whole, archive: { files: [], marks: [mark, ofCarl] } }
      assert.equal(await view(1, (view) => view.stray(), archived), undefined)
      assert.deepEqual(await view(0, (view) => view.alarms()), {
        armed: 1,
        first: { kind: 'booking', id: ada, at: wake.at },
      })
      assert.deepEqual(await view(1, (view) => view.alarms()), { armed: 0 })
    })
  })
}
