import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { ArchiveMark } from '../engine/archive-ports.ts'
import type { DeadLetter, Feed, PartitionRow, Pause, Reads, Store } from '../engine/ports.ts'
import type { RedriveStore } from '../engine/redrive-ports.ts'
import type { StoredLetter } from './memory.ts'
import { afterwards, batchOf, claimed, joined, letterOf, one, stateAfter, stream, turnOf } from './store.fixtures.ts'

/** A store with four partitions, and what a test cannot do through it. */
export type StoreHarness = {
  store: Store
  reads: Reads
  feed: Feed
  redrives: RedriveStore
  /** Ages the leases, the keys that are claimed, and the redrives that are ordered. */
  passTime(ms: number): Promise<void>
  /** What an operator does. */
  pause(pause: Pause): Promise<void>
  resume(pause: Pause): Promise<void>
  deadLetters(): Promise<StoredLetter[]>
  /** What an operator does. */
  settleLetter(letter: DeadLetter, status: 'requeued' | 'discarded'): Promise<void>
  /** What an archiver has done in the end. */
  archive(mark: ArchiveMark): Promise<void>
  close(): Promise<void>
}

/** What every store does, whatever it is made of. */
export function storeFeatures(name: string, open: () => Promise<StoreHarness>): void {
  describe(`${name}: a store`, () => {
    let harness: StoreHarness
    let store: Store
    let reads: Reads
    beforeEach(async () => {
      harness = await open()
      store = harness.store
      reads = harness.reads
    })
    afterEach(() => harness.close())

    /** The one partition 0, held by a live worker. */
    const own = async (worker = 'anna'): Promise<PartitionRow> => one(await claimed(store, worker, 0))
    const rowOf = async (id: number): Promise<PartitionRow> => one(await store.readPartitions([id]))

    describe('leases', () => {
      it('tells who lives and who owns what', async () => {
        await store.heartbeat('bert', 10_000, 1)
        await store.heartbeat('anna', 1_000, 2)
        await store.claim('anna', [2], stream)
        await store.claim('bert', [1], stream)
        await harness.passTime(2_000)
        assert.deepEqual(await store.heartbeat('carl', 10_000, 0), {
          workers: ['bert', 'carl'],
          partitions: [
            { id: 0, epoch: 0, owner: null, ownerIsAlive: false },
            { id: 1, epoch: 1, owner: 'bert', ownerIsAlive: true },
            { id: 2, epoch: 1, owner: 'anna', ownerIsAlive: false },
            { id: 3, epoch: 0, owner: null, ownerIsAlive: false },
          ],
          pauses: [],
        })
        assert.deepEqual(await reads.health(), { workers: 2, lag: 1 })
        const { workers, unowned } = await reads.census()
        assert.deepEqual({ workers, unowned }, { workers: 2, unowned: 3 })
      })

      it('gives free partitions to who claims them, and raises their epochs', async () => {
        const rows = await claimed(store, 'anna', 2, 0, 77)
        const fresh = { epoch: 1, owner: 'anna', cursor: 0, stream: 'stream-1', head: 0, published: 0, armed: 0 }
        assert.deepEqual(rows, [
          { id: 0, ...fresh },
          { id: 2, ...fresh },
        ])
        assert.deepEqual(await store.readPartitions([2]), [{ id: 2, ...fresh }])
      })

      it('does not take from an owner that lives', async () => {
        await own('anna')
        assert.deepEqual(await claimed(store, 'bert', 0), [])
        assert.equal((await rowOf(0)).owner, 'anna')
      })

      it('takes from an owner whose lease has run out, unless it was renewed', async () => {
        await store.heartbeat('anna', 1_000, 0)
        await store.claim('anna', [0], stream)
        await harness.passTime(900)
        await store.heartbeat('anna', 1_000, 0)
        await harness.passTime(900)
        assert.deepEqual(await claimed(store, 'bert', 0), [])
        await harness.passTime(200)
        assert.equal(one(await claimed(store, 'bert', 0)).epoch, 2)
      })

      it('takes from an owner that has left', async () => {
        await own('anna')
        await store.leave('anna')
        assert.equal(one(await claimed(store, 'bert', 0)).owner, 'bert')
      })

      it('lets the owner take its own again, with another epoch', async () => {
        const first = await own('anna')
        assert.deepEqual(await own('anna'), { ...first, epoch: 2 })
        assert.equal((await store.commit(batchOf(first, {}))).outcome, 'fenced')
      })

      it('gives a partition to one of many that claim at once', async () => {
        const workers = ['anna', 'bert', 'carl', 'dora']
        await Promise.all(workers.map((worker) => store.heartbeat(worker, 10_000, 0)))
        const taken = await Promise.all(workers.map((worker) => store.claim(worker, [0, 1, 2, 3], stream)))
        assert.deepEqual(
          taken
            .flat()
            .map((row) => row.id)
            .sort(),
          [0, 1, 2, 3],
        )
        assert.ok(taken.flat().every((row) => row.epoch === 1))
      })

      it('releases for others to take at once, and keeps the progress', async () => {
        const row = await own('anna')
        await store.release([{ id: 0, epoch: row.epoch, published: 4 }])
        assert.deepEqual(await rowOf(0), { ...row, owner: null, published: 4 })
        assert.equal(one(await claimed(store, 'bert', 0)).epoch, 2)
      })

      it('saves progress, which never goes back', async () => {
        const { epoch } = await own()
        await store.saveProgress([{ id: 0, epoch, published: 4 }])
        await store.saveProgress([{ id: 0, epoch, published: 3 }])
        assert.equal((await rowOf(0)).published, 4)
      })

      it('heeds no release and no progress of an earlier epoch', async () => {
        const { epoch } = await own('anna')
        await store.leave('anna')
        const row = one(await claimed(store, 'bert', 0))
        await store.release([{ id: 0, epoch, published: 9 }])
        await store.saveProgress([{ id: 0, epoch, published: 9 }])
        assert.deepEqual(await rowOf(0), row)
      })

      it('starts over in another stream, and goes on in the same', async () => {
        const row = await own()
        await store.commit(batchOf(row, {}, {}))
        assert.equal(one(await store.claim('anna', [0], stream)).cursor, 2)
        const moved = one(await store.claim('anna', [0], { ...stream, id: 'stream-2' }))
        assert.deepEqual([moved.cursor, moved.stream, moved.head], [0, 'stream-2', 2])
      })

      it('starts over when the stream has lost what the cursor has passed', async () => {
        const row = await own()
        await store.commit(batchOf(row, {}, {}))
        assert.equal(one(await store.claim('anna', [0], { ...stream, lastSequence: 2 })).cursor, 2)
        const shorter = one(await store.claim('anna', [0], { ...stream, lastSequence: 1 }))
        assert.deepEqual([shorter.cursor, shorter.head], [0, 2])
      })
    })

    describe('commit', () => {
      it('is fenced when the cursor is not where it should be, even without a turn', async () => {
        const row = await own()
        const nothing = { ...batchOf(row), partitions: batchOf(row).partitions.map((one) => ({ ...one, cursor: 3 })) }
        assert.equal((await store.commit(nothing)).outcome, 'committed')
        assert.deepEqual(await store.commit(nothing), { outcome: 'fenced', partitions: [0] })
        assert.equal((await store.commit(batchOf({ ...row, cursor: 3 }, {}))).outcome, 'committed')
      })

      it('writes turns, states and progress, as they were given', async () => {
        const row = await own()
        const batch = batchOf(
          row,
          { message: { type: 'BookShowTickets', title: 'Ünïcode\n\t"quoted" \\ 🎫' } as { type: string } },
          {
            decision: { outcome: 'refused', because: 'sold-out', reply: { refused: 'sold-out', reason: 'Sold out.' } },
          },
        )
        assert.deepEqual(await store.commit(batch), { outcome: 'committed' })
        assert.deepEqual(await store.readJournal(0, 0, 10), batch.turns)
        assert.deepEqual(await rowOf(0), afterwards(row, batch))
        const addresses = batch.states.map(({ partition, kind, id }) => ({ partition, kind, id }))
        assert.deepEqual(byId(await store.load(addresses)), byId(batch.states))
      })

      it('may carry nothing but a cursor', async () => {
        const row = await own()
        const batch = batchOf(row)
        batch.partitions = [{ id: 0, epoch: row.epoch, head: 0, turns: 0, from: 0, cursor: 12, published: 0, armed: 0 }]
        assert.deepEqual(await store.commit(batch), { outcome: 'committed' })
        assert.equal((await rowOf(0)).cursor, 12)
      })

      it('answers in the order of the calls, each on top of the one before', async () => {
        let row = await own()
        const actorId = randomUUID()
        const order: number[] = []
        const results = []
        for (let version = 1; version <= 8; version++) {
          const batch = batchOf(row, { actorId, version })
          results.push(store.commit(batch).finally(() => order.push(version)))
          row = afterwards(row, batch)
        }
        assert.ok((await Promise.all(results)).every(({ outcome }) => outcome === 'committed'))
        assert.deepEqual(order, [1, 2, 3, 4, 5, 6, 7, 8])
        assert.equal((await reads.actor({ partition: 0, kind: 'booking', id: actorId }))?.version, 8)
      })

      it('fences an earlier epoch and a wrong head, names the partitions, and writes for none', async () => {
        const [first, second, third] = await claimed(store, 'anna', 0, 1, 2)
        assert.ok(first && second && third)
        const letters = [letterOf({})]
        const stale = { ...batchOf({ ...first, epoch: first.epoch - 1 }, {}), deadLetters: letters }
        const ahead = batchOf({ ...third, head: 1 }, {})
        const batch = joined(joined(ahead, batchOf(second, {})), stale)

        assert.deepEqual(await store.commit(batch), { outcome: 'fenced', partitions: [0, 2] })
        assert.deepEqual(await store.readPartitions([0, 1, 2]), [first, second, third])
        for (const id of [0, 1, 2]) assert.deepEqual(await store.readJournal(id, 0, 10), [])
        assert.deepEqual(await store.load(batch.states), [])
        assert.deepEqual(await harness.deadLetters(), [])
      })

      it('refuses a message that has had its turn, and writes nothing', async () => {
        const row = await own()
        const first = batchOf(row, {})
        await store.commit(first)
        const { actorId, messageId } = one(first.turns)
        const next = afterwards(row, first)
        const again = { ...batchOf(next, {}, { actorId, messageId, version: 2 }), deadLetters: [letterOf({})] }
        assert.deepEqual(await store.commit(again), { outcome: 'duplicate' })
        assert.deepEqual(await rowOf(0), next)
        assert.deepEqual(await store.readJournal(0, 0, 10), first.turns)
        assert.deepEqual(await store.load(again.states), first.states)
        assert.deepEqual(await harness.deadLetters(), [])
      })

      it('refuses a message twice in one batch', async () => {
        const turn = { actorId: randomUUID(), messageId: randomUUID() }
        const batch = batchOf(await own(), { ...turn, version: 1 }, { ...turn, version: 2 })
        assert.deepEqual(await store.commit(batch), { outcome: 'duplicate' })
      })

      it('takes the same message id for two actors', async () => {
        const messageId = randomUUID()
        const batch = batchOf(await own(), { messageId }, { messageId })
        assert.deepEqual(await store.commit(batch), { outcome: 'committed' })
      })

      it('fences what was sent on top of a commit that fails', async () => {
        const row = await own()
        const first = batchOf(row, {})
        await store.commit(first)
        const next = afterwards(row, first)
        const { actorId, messageId } = one(first.turns)
        const duplicate = batchOf(next, { actorId, messageId, version: 2 })
        const onTop = batchOf(afterwards(next, duplicate), {})
        const results = await Promise.all([
          store.commit(duplicate),
          store.commit(onTop),
          store.commit(batchOf(next, {})),
        ])
        assert.deepEqual(results, [
          { outcome: 'duplicate' },
          { outcome: 'fenced', partitions: [0] },
          { outcome: 'committed' },
        ])
      })

      it('puts U+FFFD for what Postgres cannot hold', async () => {
        const actorId = randomUUID()
        const meta = { correlationId: 'NUL \0', requestId: 'half \ud83c', fingerprint: '"\\u0000"' }
        const batch = batchOf(await own(), { actorId, meta })
        assert.deepEqual(await store.commit(batch), { outcome: 'committed' })
        const stored = one(await store.readJournal(0, 0, 1))
        assert.deepEqual(stored.meta, { ...meta, correlationId: 'NUL \ufffd', requestId: 'half \ufffd' })
        const found = one(await store.findTurns([keyOf(stored)]))
        assert.equal(found.fingerprint, meta.fingerprint)
      })

      it('rejects a version that does not rise', async () => {
        const row = await own()
        const first = batchOf(row, { version: 2 })
        await store.commit(first)
        const { actorId } = one(first.turns)
        const next = afterwards(row, first)
        assert.equal((await store.commit(batchOf(next, { actorId, version: 2 }))).outcome, 'rejected')
        assert.deepEqual(await rowOf(0), next)
      })

      it('rejects what cannot be said in JSON', async () => {
        const row = await own()
        const batch = batchOf(row, {})
        batch.states = batch.states.map((state) => ({ ...state, state: 1n }))
        assert.equal((await store.commit(batch)).outcome, 'rejected')
        assert.deepEqual(await rowOf(0), row)
      })

      it('keeps one dead letter for each message, and counts its attempts', async () => {
        const row = await own()
        const letter = letterOf({ stack: 'Error\n  at somewhere' })
        await store.commit({ ...batchOf(row, {}), deadLetters: [letter, letterOf({}), letter] })
        const again = { ...letter, cause: 'another', payload: Uint8Array.of(1) }
        await store.commit({ ...batchOf({ ...row, head: 1, cursor: 1 }, {}), deadLetters: [again] })
        const letters = await harness.deadLetters()
        assert.equal(letters.length, 2)
        assert.deepEqual(
          letters.find(({ messageId }) => messageId === letter.messageId),
          { ...again, attempts: 3 },
        )
      })
    })

    it('keeps apart the dead letters of one message id to several actors, whatever they are called', async () => {
      const row = await own()
      const letter = letterOf({})
      const longest = randomBytes(2_000).toString('hex')
      const letters = [letter, { ...letter, kind: 'show' }, { ...letter, actorId: longest }]
      const both = { ...batchOf(row, {}), deadLetters: letters.slice(0, 2) }
      assert.deepEqual(await store.commit(both), { outcome: 'committed' })
      const third = { ...batchOf(afterwards(row, both), {}), deadLetters: letters.slice(2) }
      assert.deepEqual(await store.commit(third), { outcome: 'committed' })
      const stored = await harness.deadLetters()
      const once = letters.map((one) => ({ ...one, attempts: 1 }))
      assert.deepEqual(byRecipient(stored), byRecipient(once))
    })

    describe('pauses', () => {
      const show: Pause = { target: 'kind', name: 'show' }
      const one: Pause = { target: 'actor', name: `booking.${randomUUID()}` }
      const payments: Pause = { target: 'service', name: 'payments' }
      const refused = async (pauses: Pause[]) => (await store.commit({ ...batchOf(await own()), pauses })).outcome

      it('are told with the heartbeat, and to who asks', async () => {
        for (const pause of [show, one, payments]) await harness.pause(pause)
        const { pauses } = await store.heartbeat('anna', 10_000, 0)
        assert.deepEqual(pauses, [one, show, payments])
        assert.deepEqual(await store.readPauses(), pauses)
        await harness.resume(one)
        assert.deepEqual((await store.heartbeat('anna', 10_000, 0)).pauses, [show, payments])
      })

      it('let messages be set aside as long as they last', async () => {
        await harness.pause(show)
        const letter = letterOf({ code: 'actor-paused', kind: 'show' })
        const batch = { ...batchOf(await own(), {}), deadLetters: [letter], pauses: [show] }
        assert.equal((await store.commit(batch)).outcome, 'committed')
        assert.deepEqual(await harness.deadLetters(), [{ ...letter, attempts: 1 }])
      })

      it('that have ended let nothing of a batch be written that relies on them', async () => {
        await harness.pause(show)
        const row = await own()
        const batch = batchOf(row, {})
        const letter = letterOf({ code: 'actor-paused' })
        const commit = { ...batch, deadLetters: [letter], pauses: [show, one] }
        assert.deepEqual(await store.commit(commit), { outcome: 'resumed', pauses: [one] })
        assert.deepEqual(await rowOf(0), row)
        assert.deepEqual(await harness.deadLetters(), [])
        assert.deepEqual(await store.readJournal(0, 0, 10), [])
        // One of the same name is another pause.
        await harness.pause({ target: 'service', name: one.name })
        assert.equal(await refused([one]), 'resumed')
        assert.equal(await refused([show]), 'committed')
      })

      it('do not matter to a batch that is fenced', async () => {
        const row = await own('anna')
        await own('anna')
        const batch = { ...batchOf(row, {}), pauses: [show] }
        assert.deepEqual(await store.commit(batch), { outcome: 'fenced', partitions: [0] })
      })
    })

    it('keeps one dead letter for each effect, and counts its attempts', async () => {
      const letter = letterOf({ code: 'effect-exhausted' })
      await store.keepDeadLetter(letter)
      await store.keepDeadLetter({ ...letter, cause: 'another' })
      assert.deepEqual(await harness.deadLetters(), [{ ...letter, cause: 'another', attempts: 2 }])
    })

    it('counts the open dead letters by their code', async () => {
      for (const code of ['turn-threw', 'effect-exhausted', 'turn-threw'])
        await store.keepDeadLetter(letterOf({ code }))
      assert.deepEqual((await reads.census()).openLetters, [
        { code: 'effect-exhausted', count: 1 },
        { code: 'turn-threw', count: 2 },
      ])
    })

    describe('reads', () => {
      it('loads the actors that exist, of that partition and kind', async () => {
        const batch = batchOf(await own(), {}, {})
        await store.commit(batch)
        const [first, second] = batch.states
        assert.ok(first && second)
        const others = [
          { ...first, partition: 1 },
          { ...second, kind: 'show' },
          { ...first, id: randomUUID() },
        ]
        assert.deepEqual(byId(await store.load([...others, second, first])), byId([first, second]))
        assert.deepEqual(await store.load([]), [])
        assert.deepEqual(await reads.actor(first), first)
        assert.equal(await reads.actor({ ...first, partition: 3 }), undefined)
      })

      it('tells beyond which id of a kind there is no actor in a partition', async () => {
        let row = await own()
        const ids = Array.from({ length: 12 }, () => randomUUID()).sort()
        const [show, ...bookings] = ids as [string, ...string[]]
        for (const [index, actorId] of [...bookings.reverse(), show].entries()) {
          const batch = batchOf(row, { actorId, kind: index < bookings.length ? 'booking' : 'show' })
          await store.commit(batch)
          row = afterwards(row, batch)
        }
        const last = await store.lastIds([0, 1], ['booking', 'show', 'ticket'])
        assert.deepEqual(byId(last), [
          { partition: 0, kind: 'show', id: show },
          { partition: 0, kind: 'booking', id: ids.at(-1) },
        ])
        assert.deepEqual(await store.lastIds([0], ['ticket']), [])
        assert.deepEqual(await store.lastIds([1], ['booking']), [])
      })

      it('reads a stretch of the journal', async () => {
        const batch = batchOf(await own(), {}, {}, {}, {})
        await store.commit(batch)
        assert.deepEqual(await store.readJournal(0, 1, 2), batch.turns.slice(1, 3))
        assert.deepEqual(await store.readJournal(0, 4, 2), [])
        assert.deepEqual(await store.readJournal(1, 0, 2), [])
      })

      it('finds the turns of messages, with fingerprint and reply', async () => {
        const reply = { ok: { booking_id: 'x' } }
        const batch = batchOf(
          await own(),
          { meta: { correlationId: 'c', fingerprint: 'f00"' }, decision: { outcome: 'accepted', reply } },
          {},
        )
        await store.commit(batch)
        const [answered, silent] = batch.turns
        assert.ok(answered && silent)
        const unknown = { ...keyOf(silent), messageId: randomUUID() }
        const elsewhere = { ...keyOf(silent), kind: 'show' }
        const found = await store.findTurns([keyOf(answered), unknown, elsewhere, keyOf(silent)])
        assert.deepEqual(
          byMessage(found),
          byMessage([{ ...nameOf(answered), fingerprint: 'f00"', reply }, nameOf(silent)]),
        )
        assert.deepEqual(await store.findTurns([]), [])
      })

      it('finds the reply to a request where the chain of messages ended', async () => {
        const row = await own()
        const [actorId, requestId] = [randomUUID(), randomUUID()]
        const meta = { correlationId: 'c', requestId }
        const reply = { refused: 'sold-out', reason: 'Sold out.' }
        const replied = { outcome: 'accepted' as const, reply }
        const request = batchOf(row, { actorId, messageId: requestId, meta, version: 1 })
        const elsewhere = { actorId: randomUUID(), meta, decision: { outcome: 'accepted' as const, reply: { ok: {} } } }
        const another = {
          actorId,
          version: 2,
          meta: { correlationId: 'c', requestId: randomUUID() },
          decision: replied,
        }
        await store.commit(request)
        const early = afterwards(row, request)
        const noise = batchOf(early, elsewhere, another, { actorId, version: 3, meta })
        await store.commit(noise)
        const key = { partition: 0, kind: 'booking', id: actorId, messageId: requestId }
        const turn = { kind: 'booking', actorId, messageId: requestId }
        assert.deepEqual(await store.findTurns([key]), [turn])

        const end = batchOf(afterwards(early, noise), { actorId, version: 4, meta, decision: replied })
        await store.commit(end)
        assert.deepEqual(await store.findTurns([key]), [{ ...turn, reply }])
        // A link of the chain is no request: it has no reply but its own.
        const link = noise.turns[2]
        assert.ok(link)
        assert.deepEqual(await store.findTurns([keyOf(link)]), [nameOf(link)])
      })

      it('lets the first claim of a key hold it', async () => {
        const [id, other] = [randomUUID(), randomUUID()]
        assert.deepEqual(await reads.claimKey(id, 'first'), { digest: 'first', isNew: true })
        assert.deepEqual(await reads.claimKey(id, 'second'), { digest: 'first', isNew: false })
        assert.deepEqual(await reads.claimKey(id, 'first'), { digest: 'first', isNew: false })
        assert.deepEqual(await reads.claimKey(other, 'second'), { digest: 'second', isNew: true })
      })

      it('lets one of many that claim a key at once hold it', async () => {
        const id = randomUUID()
        const claims = await Promise.all(['a', 'b', 'c', 'd'].map((digest) => reads.claimKey(id, digest)))
        assert.equal(new Set(claims.map(({ digest }) => digest)).size, 1)
        assert.equal(claims.filter(({ isNew }) => isNew).length, 1)
      })

      it('forgets keys after a week, when others are claimed', async () => {
        const dayMs = 24 * 60 * 60 * 1_000
        const id = randomUUID()
        await reads.claimKey(id, 'first')
        await harness.passTime(6 * dayMs)
        await reads.claimKey(randomUUID(), 'another')
        assert.equal((await reads.claimKey(id, 'second')).digest, 'first')
        await harness.passTime(2 * dayMs)
        await reads.claimKey(randomUUID(), 'another')
        assert.deepEqual(await reads.claimKey(id, 'second'), { digest: 'second', isNew: true })
      })

      it('keeps what it was given, whatever is done to it later', async () => {
        const turn = turnOf({ partition: 0 })
        const state = stateAfter(turn)
        const batch = { ...batchOf(await own(), turn), states: [state] }
        const result = store.commit(batch)
        state.state = 'changed'
        await result
        assert.deepEqual((await reads.actor(state))?.state, stateAfter(turn).state)
      })
    })
  })
}

const byId = <T extends { id: string }>(rows: T[]): T[] => rows.sort((a, b) => a.id.localeCompare(b.id))
const byRecipient = <T extends { kind: string; actorId: string }>(rows: T[]): T[] => {
  return rows.sort((a, b) => `${a.kind} ${a.actorId}`.localeCompare(`${b.kind} ${b.actorId}`))
}
const byMessage = <T extends { messageId: string }>(rows: T[]): T[] => {
  return rows.sort((a, b) => a.messageId.localeCompare(b.messageId))
}
const keyOf = (turn: { partition: number; kind: string; actorId: string; messageId: string }) => {
  return { partition: turn.partition, kind: turn.kind, id: turn.actorId, messageId: turn.messageId }
}
const nameOf = ({ kind, actorId, messageId }: { kind: string; actorId: string; messageId: string }) => {
  return { kind, actorId, messageId }
}
