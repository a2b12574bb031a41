import { livesOf } from '../archive/lives.ts'
import { misused } from '../commands/options.ts'
import type { Archive, ArchiveFile } from '../engine/archive-ports.ts'
import type { Actors } from '../engine/parse.ts'
import type { AnyProjection } from '../projections/projection.ts'
import type { AuditHead } from '../store/audit-chain.ts'
import type { Inspection, PartitionView } from '../store/inspection.ts'
import { checkAudit } from './audit.ts'
import { checkEnds } from './ends.ts'
import { Findings } from './findings.ts'
import { beginLife, follow, type Life } from './life.ts'
import { checkCalls, checkSends, type Limits, sentBy } from './outstanding.ts'
import { Positions } from './positions.ts'
import { checkRows, checkStrayRows, followRows, type Standing, standingsIn } from './rows.ts'
import { SeatLedger } from './seats.ts'

export type VerifyOptions = {
  actors: Actors
  readModels: AnyProjection[]
  /** Where old turns are read. */
  archive: Archive
  /**
   * This one alone. Then nothing is said of seats, as a show and its bookings live in different partitions, nor of the audit
   * log, which is of all.
   */
  partition?: number | undefined
  /** A head of the audit log that was noted elsewhere. */
  auditHead?: AuditHead | undefined
  /** How long what was sent, called for or set may wait before it counts as lost. */
  graceMs: number
  /** Told now and then how many turns have been followed, of how many. */
  onProgress(turns: number, total: number): void
}

type Work = Limits & { actors: Actors; readModels: AnyProjection[]; archive: Archive; note(turns: number): void }

/**
 * Reads the journal and holds everything against it that must agree with it. Each partition is read at a moment of its own;
 * where partitions are compared, all count up to where they stood in the beginning.
 *
 * In memory are a page of turns with what they sent and the rows that they led to, the calls of one actor that have no outcome
 * yet, a bit for each turn of a partition, and four numbers for each show; of the archive a block of each file whose actors are
 * looked at.
 *
 * @throws `database-unavailable`; `config-invalid` when there is no such partition
 */
export async function verify(inspection: Inspection, options: VerifyOptions): Promise<Findings> {
  const all = await inspection.heads()
  const chosen = all.filter(({ id }) => options.partition === undefined || options.partition === id)
  if (chosen.length === 0) throw misused(`there is no partition ${options.partition}, but ${all.length} from 0 on`)
  const total = chosen.reduce((sum, { head }) => sum + head, 0)
  const findings = new Findings()
  const seats = options.partition === undefined ? new SeatLedger() : undefined
  let done = 0
  const work: Work = {
    actors: options.actors,
    readModels: options.readModels,
    archive: options.archive,
    partitions: all.length,
    heads: new Map(all.map(({ id, head }) => [id, head])),
    graceMs: options.graceMs,
    findings,
    seats,
    note: (turns) => {
      done += turns
      options.onProgress(done, total)
    },
  }
  findings.paused = (await inspection.pauses()).filter(({ ms }) => ms > options.graceMs)
  const names = options.readModels.map(({ name }) => name)
  for (const { id } of chosen) await inspection.view(id, (view) => verifyPartition(view, work), names)
  seats?.judge(findings)
  if (options.partition === undefined) await checkAudit(inspection, options.auditHead, findings)
  return findings
}

async function verifyPartition(view: PartitionView, work: Work): Promise<void> {
  checkRow(view, work)
  await checkRepeats(view, work)
  await followAll(view, await readableFiles(view, work), work)
  await checkStrays(view, work)
  await checkAlarms(view, work)
}

/** Of a file that is not what it should be nothing is believed: its turns are missing. */
async function readableFiles(view: PartitionView, { archive, findings }: Work): Promise<ArchiveFile[]> {
  const readable: ArchiveFile[] = []
  for (const file of await view.archiveFiles()) {
    findings.look('archive')
    const fault = await archive.faultOf(file)
    if (fault === undefined) {
      readable.push(file)
      findings.archived += file.turns
    } else {
      const expected = `${file.turns} turns with the checksum ${file.sha256}`
      findings.differ('archive', { where: `partition ${file.partition}`, expected, found: fault })
    }
  }
  return readable
}

async function followAll(view: PartitionView, files: ArchiveFile[], work: Work): Promise<void> {
  const { findings } = work
  const cut = work.heads.get(view.row.id) ?? 0
  const standings = await standingsIn(view, work.readModels, findings)
  const rowsDue = new Map<string, number>()
  const positions = new Positions(view.row)
  let life: Life | undefined
  for await (const turns of livesOf(view.turns(), work.archive, files)) {
    const ended: Life[] = []
    for (const turn of turns) {
      if (life?.address.id !== turn.actorId || life.address.kind !== turn.kind) {
        if (life) ended.push(life)
        life = beginLife(turn, work)
      }
      positions.note(turn.position, findings)
      follow(life, turn, cut, findings)
      followRows(life.rows, life.actor, turn, standings, findings)
    }
    for (const check of ['positions', 'messages'] as const) findings.look(check, turns.length)
    await Promise.all([
      end(view, ended, standings, rowsDue, work),
      checkSends(
        view,
        turns.flatMap((turn) => sentBy(turn, work)),
        work,
      ),
    ])
    work.note(turns.length)
  }
  if (life) await end(view, [life], standings, rowsDue, work)
  positions.check(findings)
  await checkStrayRows(view, standings, rowsDue, findings)
}

async function end(
  view: PartitionView,
  lives: Life[],
  standings: Standing[],
  rowsDue: Map<string, number>,
  work: Work,
): Promise<void> {
  for (const { address, actor, stateAtCut } of lives) if (actor) work.seats?.noteState(address, stateAtCut)
  await checkEnds(view, lives, work.findings)
  for (const [name, rows] of await checkRows(view, lives, standings, work.findings))
    rowsDue.set(name, (rowsDue.get(name) ?? 0) + rows)
  await checkCalls(
    view,
    lives.flatMap(({ calls }) => [...calls.values()]),
    work,
  )
}

function checkRow({ row: { id, head, published, cursor, stream, epoch } }: PartitionView, { findings }: Work): void {
  findings.look('partitions')
  const where = `partition ${id}`
  if (published < 0 || published > head)
    findings.differ('partitions', {
      where,
      expected: `published from 0 to ${head}, the head`,
      found: String(published),
    })
  if (cursor < 0 || (stream === '' && cursor > 0))
    findings.differ('partitions', {
      where,
      expected: 'a cursor into a stream',
      found: `${cursor} in ${JSON.stringify(stream)}`,
    })
  if (head > 0 && epoch < 1)
    findings.differ('partitions', { where, expected: 'turns of an owner', found: `${head} turns, and never an owner` })
}

async function checkRepeats(view: PartitionView, { findings }: Work): Promise<void> {
  const repeated = await view.repeated()
  if (!repeated) return
  const { kind, id, messageId } = repeated
  const found = `several of message ${messageId}`
  const look = `turnstile journal show ${kind} ${id}`
  findings.differ('messages', { where: `${kind}.${id}`, expected: 'one turn for each message', found, look })
}

async function checkStrays(view: PartitionView, { findings }: Work): Promise<void> {
  const stray = await view.stray()
  if (!stray) return
  const where = `${stray.kind}.${stray.id}`
  findings.differ('states', { where, expected: 'a state after turns', found: 'a state, and no turn' })
}

async function checkAlarms(view: PartitionView, { findings, graceMs }: Work): Promise<void> {
  const { row, nowMs } = view
  const { armed, first } = await view.alarms()
  findings.look('armed')
  findings.look('overdue', armed)
  if (armed !== row.armed) {
    const where = `partition ${row.id}`
    findings.differ('armed', { where, expected: `${armed}, as many as are set`, found: String(row.armed) })
  }
  const waitsMs = first ? nowMs - Date.parse(first.at) : 0
  if (!first || waitsMs <= graceMs) return
  const { kind, id, at } = first
  const look = `turnstile journal show ${kind} ${id}`
  const found = `it waits for ${Math.round(waitsMs / 1_000)} s`
  findings.differ('overdue', { where: `${kind}.${id}`, expected: `a turn soon after ${at}`, found, look })
}
