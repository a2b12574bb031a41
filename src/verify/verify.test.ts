import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { actors } from '../../actors/index.ts'
import { readJournal, recordedJournals } from '../../ops/record-journal/file.ts'
import type { AnyActor } from '../actor/actor.ts'
import { alarmId, deriveId, outcomeId } from '../actor/ids.ts'
import { openArchive } from '../archive/read.ts'
import type { TurnRecord } from '../engine/ports.ts'
import { projections } from '../projections/index.ts'
import { inspect, type WholeRecord } from '../store/memory-inspection.ts'
import { readModelsOf } from './read-models.fixtures.ts'
import { textReport } from './report.ts'
import { verify } from './verify.ts'

/** A sound record of some hundred turns, to be broken. */
let record: WholeRecord
beforeEach(() => {
  record = readJournal(recordedJournals().at(-1) ?? '')
  record.readModels = readModelsOf(record)
})

const graceMs = 600_000
const look = (options: { partition?: number; rules?: Readonly<Record<string, AnyActor>> } = {}) =>
  verify(inspect(record), {
    actors: options.rules ?? actors,
    readModels: projections,
    archive: openArchive(),
    partition: options.partition,
    graceMs,
    onProgress: () => {},
  })

/** The names of the checks that found something. */
async function broken(options = {}): Promise<string[]> {
  const { verdicts } = await look(options)
  return Object.entries(verdicts).flatMap(([name, { differences }]) => (differences > 0 ? [name] : []))
}

/** The first turn that is like that. */
function turnWith(isLike: (turn: TurnRecord) => unknown): TurnRecord {
  const found = record.turns.find((turn) => isLike(turn))
  assert.ok(found)
  return found
}

const isSent = (type: string) => (turn: TurnRecord) =>
  (turn.decision.sends ?? []).find((send) => 'command' in send && send.command.type === type)

/** As if its turn had never been: its actor's later turns move up. */
function forget(messageId: string): void {
  const turn = turnWith((turn) => turn.messageId === messageId)
  record.turns = record.turns.filter((other) => other !== turn)
}

/** As if so long ago that nothing can be on its way any more, or only just now. */
const letPass = (ms: number) => {
  record.nowMs = Math.max(...record.turns.map(({ at }) => Date.parse(at))) + ms
}

describe('verify', () => {
  test('finds nothing wrong in a sound record, and has looked at all of it', async () => {
    const { verdicts, isClean } = await look()
    assert.ok(isClean)
    assert.equal(verdicts.positions.looked, record.turns.length)
    assert.equal(verdicts.states.looked, record.actors.length)
    for (const check of ['events', 'sends', 'calls', 'projections', 'seats', 'refunds'] as const)
      assert.ok(verdicts[check].looked > 0)
  })

  test('of one partition says nothing of seats', async () => {
    const { verdicts, isClean } = await look({ partition: 3 })
    assert.ok(isClean)
    assert.deepEqual([verdicts.partitions.looked, verdicts.seats.looked], [1, 0])
    await assert.rejects(look({ partition: 8 }), { message: /no partition 8, but 8 from 0 on/ })
  })

  test('names the first difference, counts the others, and says how to look', async () => {
    const [actor, other] = record.actors
      .filter(({ kind }) => kind === 'ticket')
      .sort((a, b) => a.partition - b.partition)
    assert.ok(actor && other)
    const { kind, id, version } = actor
    for (const { id, version } of [actor, other])
      turnWith((turn) => turn.actorId === id && turn.version === version).version = version + 1
    const { first, differences } = (await look()).verdicts.versions
    assert.equal(differences, 2)
    assert.deepEqual(first, {
      where: `${kind}.${id} version ${version + 1}`,
      expected: `version ${version}`,
      found: `version ${version + 1}`,
      look: `turnstile journal show ${kind} ${id} --at ${version + 1}`,
    })
  })

  describe('of a send that has not been taken', () => {
    let messageId: string
    let sender: TurnRecord
    beforeEach(() => {
      sender = turnWith(isSent('TicketRefunded'))
      messageId = (isSent('TicketRefunded')(sender) as { messageId: string }).messageId
      forget(messageId)
    })
    const letter = (status: 'open' | 'requeued', requeuedAt?: string) => {
      const { id, send } = isSent('TicketRefunded')(sender) as { id: string; send: string }
      const names = { messageId, kind: send, actorId: id, type: 'TicketRefunded', payload: new Uint8Array() }
      record.letters.push({ ...names, status, ...(requeuedAt !== undefined && { requeuedAt }) })
    }
    const isLost = async () => (await broken()).includes('sends')

    test('it waits for the grace time', async () => {
      record.nowMs = Date.parse(sender.at) + graceMs
      const { waiting } = await look()
      assert.deepEqual(waiting.sends, { count: 1, oldestMs: graceMs })
      assert.equal(await isLost(), false)
      record.nowMs += 1
      assert.equal(await isLost(), true)
    })

    test('it is safe as long as its partition has not published it', async () => {
      letPass(graceMs * 100)
      const partition = record.partitions.find(({ id }) => id === sender.partition)
      if (partition) partition.published = sender.position - 1
      assert.equal(await isLost(), false)
      if (partition) partition.published = sender.position
      assert.equal(await isLost(), true)
    })

    test('it may be a dead letter, and waits anew when it was sent back', async () => {
      letPass(graceMs * 100)
      letter('open')
      assert.equal(await isLost(), false)
      assert.equal((await look()).deadLetters, 1)
      record.letters = []
      letter('requeued', new Date(record.nowMs - graceMs).toISOString())
      assert.equal(await isLost(), false)
      record.nowMs += 1
      assert.equal(await isLost(), true)
    })
  })

  test('a send that joined its commit is there at once, or dead', async () => {
    const sender = turnWith(({ decision }) => decision.sends?.some((send) => 'joined' in send))
    const joined = sender.decision.sends?.find((send) => 'joined' in send)
    assert.ok(joined && 'joined' in joined)
    forget(joined.joined)
    record.nowMs = Date.parse(sender.at)
    assert.ok((await broken()).includes('sends'))
    const { joined: messageId, send: kind = '', id: actorId = '' } = joined
    record.letters.push({ messageId, kind, actorId, type: 'X', payload: new Uint8Array(), status: 'open' })
    assert.ok(!(await broken()).includes('sends'))
  })

  test('a call without its outcome waits, may be a dead letter, or is lost', async () => {
    const caller = turnWith(({ decision }) => decision.calls?.some(({ call }) => call === 'files'))
    const call = caller.decision.calls?.find(({ call }) => call === 'files')
    assert.ok(call)
    forget(outcomeId(call.messageId))
    record.nowMs = Date.parse(caller.at) + graceMs
    assert.equal((await look()).waiting.calls.count, 1)
    assert.ok(!(await broken()).includes('calls'))
    record.nowMs += 1
    assert.ok((await broken()).includes('calls'))
    const { messageId } = call
    const names = { kind: 'files', actorId: caller.actorId, type: 'StoreFile', payload: new Uint8Array() }
    record.letters.push({ messageId, ...names, status: 'open' })
    assert.ok(!(await broken()).includes('calls'))
  })

  test('seats that are on their way are neither gone nor there twice', async () => {
    // The show has reserved; the booking does not know it yet.
    const sender = turnWith(isSent('SeatsReserved'))
    const send = isSent('SeatsReserved')(sender)
    assert.ok(send && 'command' in send)
    cutBefore(send.messageId)
    assert.ok(!(await broken()).includes('seats'))
    send.command = { ...send.command, number_of_tickets: 9 } as typeof send.command
    assert.ok((await broken()).includes('seats'))
  })

  test('what comes after the partitions were first looked at does not count for seats', async () => {
    const sender = turnWith(isSent('SeatsReserved'))
    const { partition, position } = sender
    const heads = async () => record.partitions.map(({ id }) => ({ id, head: id === partition ? position : 1_000 }))
    const early = { ...inspect(record), heads }
    const { verdicts } = await verify(early, {
      actors,
      readModels: [],
      archive: openArchive(),
      graceMs,
      onProgress: () => {},
    })
    assert.ok(verdicts.seats.differences > 0, 'this is no moment that the record ever was in')
    const nothing = { ...inspect(record), heads: async () => record.partitions.map(({ id }) => ({ id, head: 0 })) }
    assert.equal(
      (await verify(nothing, { actors, readModels: [], archive: openArchive(), graceMs, onProgress: () => {} }))
        .verdicts.seats.differences,
      0,
    )
  })

  test('seats of a send that died in its commit are named by the dead letter', async () => {
    const sender = turnWith(isSent('SeatsReserved'))
    const send = isSent('SeatsReserved')(sender)
    assert.ok(send && 'command' in send)
    cutBefore(send.messageId)
    sender.decision.sends = [{ joined: send.messageId, send: send.send, id: send.id }]
    assert.ok((await broken()).includes('seats'))
    const { type, ...fields } = send.command
    const payload = new TextEncoder().encode(JSON.stringify(fields))
    record.letters.push({ messageId: send.messageId, kind: send.send, actorId: send.id, type, payload, status: 'open' })
    assert.ok(!(await broken()).includes('seats'))
  })

  describe('of read models', () => {
    const isWrong = async () => (await broken()).includes('projections')

    test('one that is behind is compared up to where it stands', async () => {
      const whole = record.readModels
      record.readModels = readModelsOf(record, 7)
      assert.notDeepEqual(record.readModels, whole)
      const { isClean, lags } = await look()
      assert.ok(isClean)
      assert.equal(
        lags.get('tickets'),
        record.partitions.reduce((sum, { head }) => sum + Math.min(7, head), 0),
      )
      // Rows of the whole journal do not belong to that position.
      record.readModels = record.readModels.map((one, index) => ({ ...one, rows: whole[index]?.rows ?? [] }))
      assert.ok(await isWrong())
    })

    test('one that has not begun is not looked at', async () => {
      record.readModels = []
      const { verdicts, isClean } = await look()
      assert.deepEqual([isClean, verdicts.projections.looked], [true, 0])
    })

    test('a turn that counts twice, a row that is gone and a row of nobody are found', async () => {
      const rowsOf = (name: string) => record.readModels.find((one) => one.name === name)?.rows ?? []
      const [show] = rowsOf('shows')
      assert.ok(show)
      const { fields } = show
      show.fields = { ...fields, seats_reserved: 1_000 }
      const { first } = (await look()).verdicts.projections
      assert.match(first?.where ?? '', /^shows, show\./)
      assert.equal(first?.look, `turnstile journal show show ${show.id}`)
      show.fields = fields
      assert.equal(await isWrong(), false)
      const [ticket] = rowsOf('tickets').splice(0, 1)
      assert.ok(ticket)
      assert.ok(await isWrong())
      rowsOf('tickets').push(ticket, { ...ticket, id: deriveId('nobody', 'ticket') })
      const found = (await look()).verdicts.projections.first
      assert.match(found?.where ?? '', /^tickets in partition/)
    })
  })

  test('what is paused for longer than the grace time is told, and is no fault', async () => {
    const pause = { target: 'service' as const, who: 'ada', reason: 'double\nrefunds' }
    record.pauses = [
      { ...pause, name: 'payments', ms: graceMs + 60_000 },
      { ...pause, name: 'files', ms: graceMs },
    ]
    const findings = await look()
    assert.ok(findings.isClean)
    assert.deepEqual(
      findings.paused.map(({ name }) => name),
      ['payments'],
    )
    assert.match(textReport(findings, 1, undefined), /^Paused for 660 s: service payments, by ada: double refunds\./m)
  })

  test('an alarm is the one that the state asks for', async () => {
    const at = '2027-01-15T08:10:00.000Z'
    const rules = {
      ...actors,
      show: {
        ...actors.show,
        alarm: () => ({ at, command: { type: 'ReleaseSeats', booking_id: deriveId('a', 'b'), number_of_tickets: 1 } }),
      },
    }
    assert.deepEqual(await broken({ rules }), ['alarms'])
    const wake = { at, correlationId: 'a story' }
    for (const show of record.actors.filter(({ kind }) => kind === 'show')) {
      show.wake = wake
      for (const partition of record.partitions) if (partition.id === show.partition) partition.armed += 1
    }
    record.nowMs = Date.parse(at) + graceMs
    assert.deepEqual(await broken({ rules }), [])
    record.nowMs += 1
    assert.deepEqual(await broken({ rules }), ['overdue'])
    assert.deepEqual(await broken(), ['alarms', 'overdue'])
  })

  test('an alarm that had its turn, or died, is not set', async () => {
    const at = '2027-01-15T09:00:00.000Z'
    const [show] = record.actors.filter(({ kind }) => kind === 'show')
    assert.ok(show)
    const alarm = (state: unknown) =>
      (state as { dead_nation_id?: string }).dead_nation_id ===
      (show.state as { dead_nation_id: string }).dead_nation_id
        ? { at, command: { type: 'ReleaseSeats', booking_id: deriveId('a', 'b'), number_of_tickets: 1 } }
        : undefined
    const rules = { ...actors, show: { ...actors.show, alarm } }
    assert.deepEqual(await broken({ rules }), ['alarms'])
    const messageId = alarmId('show', show.id, at)
    record.letters.push({
      messageId,
      kind: 'show',
      actorId: show.id,
      type: 'Alarm',
      payload: new Uint8Array(),
      status: 'open',
    })
    assert.deepEqual(await broken({ rules }), [])
  })
})

/** Takes out this message's turn, what its actor did later, what came of that, and the commits that had any of it. */
function cutBefore(messageId: string): void {
  const gone = new Set([messageId])
  for (let before = 0; before !== gone.size; ) {
    before = gone.size
    for (const turn of record.turns) {
      const { actorId, version } = turn
      const isLater = record.turns.some(
        (other) => gone.has(other.messageId) && other.actorId === actorId && other.version < version,
      )
      const isOfCommit = turn.decision.sends?.some((send) => 'joined' in send && gone.has(send.joined))
      if (isLater || isOfCommit || gone.has(turn.meta.causationId ?? '')) gone.add(turn.messageId)
    }
  }
  record.turns = record.turns.filter((turn) => !gone.has(turn.messageId))
}
