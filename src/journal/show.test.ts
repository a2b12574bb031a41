import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readJournal, recordedJournals } from '../../ops/record-journal/file.ts'
import { inspect } from '../store/memory-inspection.ts'
import { show } from './show.ts'

const record = readJournal(recordedJournals().at(-1) ?? '')
const inspection = inspect(record)

async function output(...args: string[]): Promise<string> {
  let out = ''
  await show(args, inspection, (text) => {
    out += text
  })
  return out
}

/** An actor whose state is like that. */
function idOf(kind: string, isLike: (state: Record<string, unknown>) => boolean): string {
  const found = record.actors.find((actor) => actor.kind === kind && isLike(actor.state as Record<string, unknown>))
  assert.ok(found)
  return found.id
}

describe('journal show', () => {
  const refunded = idOf('ticket', ({ status }) => status === 'refunded')

  test('tells every turn, and what followed from it', async () => {
    const out = await output('ticket', refunded)
    for (const part of [
      /^1 +\d{4}-\S+Z {2}ConfirmTicket {2}accepted$/m,
      /^ {6}event +TicketBookingConfirmed_v1 \{"ticket_id":/m,
      /^ {6}called +receipts IssueReceipt \S+ \{"ticket_id":/m,
      /^ {6}replied +\{"ticket_id":/m,
      /^ {6}sent .* to booking\./m,
      /^The state after version \d+:\n\{\n {2}"status": "refunded"/m,
    ])
      assert.match(out, part)
  })

  test('says why something was refused or ignored', async () => {
    const soldOut = record.turns.find(({ decision }) => decision.because === 'sold-out')
    assert.match(await output('show', soldOut?.actorId ?? ''), /ReserveSeats {2}refused: sold-out$/m)
    const ignored = record.turns.find(({ decision }) => decision.outcome === 'ignored')
    assert.match(await output(ignored?.kind ?? '', ignored?.actorId ?? ''), / {2}ignored: /m)
  })

  test('has the state as it was at a version, or at a time', async () => {
    const last = async (...args: string[]) =>
      JSON.parse((await output('ticket', refunded, '--json', ...args)).trimEnd().split('\n').at(-1) ?? '')
    assert.deepEqual([(await last('--at', '1')).version, (await last('--at', '1')).state.status], [1, 'confirmed'])
    const [first] = record.turns.filter(({ actorId }) => actorId === refunded)
    const early = await last('--at', first?.at ?? '')
    assert.equal(early.state.status, 'confirmed')
    const now = await last()
    assert.ok(now.version > early.version)
    assert.deepEqual(now.state, record.actors.find(({ id }) => id === refunded)?.state)
    await assert.rejects(output('ticket', refunded, '--at', '2001-01-01'), /has had no turn up to 2001-01-01/)
  })

  test('tells a journal that cannot be folded, and says so', async () => {
    const broken = structuredClone(record)
    const turn = broken.turns.find(({ actorId, version }) => actorId === refunded && version === 2)
    Object.assign(turn?.decision ?? {}, { events: [{ type: 'Sung_v1' }] })
    let out = ''
    await show(['ticket', refunded, '--at', '3'], inspect(broken), (text) => {
      out += text
    })
    assert.match(out, /event +Sung_v1 \{\}\n[\s\S]*^3 +\d{4}-/m)
    assert.match(
      out,
      /The state after version 3: it cannot be told past version 1: ticket cannot evolve by Sung_v1\.\n$/,
    )
  })

  test('is clear about what it does not find', async () => {
    const nobody = '00000000-0000-4000-8000-000000000000'
    await assert.rejects(output('ticket', nobody), {
      code: 'config-invalid',
      message: `ticket ${nobody} has never had a turn`,
    })
    await assert.rejects(output('opera', nobody), /no kind of actor "opera", but show, booking, ticket/)
    await assert.rejects(output('ticket', 'x'), /"x" is no id of an actor/)
    await assert.rejects(output('ticket'), /takes a kind and an id/)
    await assert.rejects(output('ticket', nobody, '--at', 'noon'), /--at must be a version, or a time/)
  })
})
