import type { ArchiveFile, ArchiveMark } from '../engine/archive-ports.ts'
import type { Address, PartitionRow, StoredActor, TurnRecord } from '../engine/ports.ts'
import type { ReadRow } from '../engine/read-model-ports.ts'
import type { AuditHead, AuditRow } from './audit-chain.ts'
import type { FoundLetter, Inspection, MessageKey, PartitionView, StandingPause } from './inspection.ts'

/** All of a record, as it is at one moment. */
export type WholeRecord = {
  partitions: PartitionRow[]
  turns: TurnRecord[]
  actors: StoredActor[]
  letters: FoundLetter[]
  readModels: WholeReadModel[]
  pauses: StandingPause[]
  /** What the archive has, and of whom. */
  archive: { files: ArchiveFile[]; marks: ArchiveMark[] }
  audit: { rows: AuditRow[]; head: AuditHead }
  nowMs: number
}

/** A read model: how far it has come in which partition, and its rows. */
export type WholeReadModel = { name: string; positions: { partition: number; position: number }[]; rows: ReadRow[] }

/** The inspection of a record that is in memory: of tests, the simulation, and recorded journals. */
export function inspect(record: WholeRecord): Inspection {
  return {
    heads: async () => record.partitions.map(({ id, head }) => ({ id, head })),
    pauses: async () => record.pauses,
    auditAfter: async (seq, limit) => record.audit.rows.filter((row) => row.seq > seq).slice(0, limit),
    auditHead: async () => record.audit.head,
    view: async (partition, look) => look(viewOf(record, partition)),
    close: async () => {},
  }
}

const pageTurns = 100

function viewOf(
  { partitions, turns, actors, letters, readModels, archive, nowMs }: WholeRecord,
  partition: number,
): PartitionView {
  const row = partitions.find(({ id }) => id === partition)
  if (!row) throw new RangeError(`there is no partition ${partition}`)
  const own = turns.filter((turn) => turn.partition === partition)
  const marked = new Set(archive.marks.map(keyOfAddress))
  const residents = actors.filter((actor) => actor.partition === partition)
  const taken = new Map(turns.map((turn) => [keyOfTurn(turn), turn]))
  const armed = residents
    .flatMap(({ kind, id, wake }) => (wake ? { kind, id, at: wake.at } : []))
    .sort((a, b) => a.at.localeCompare(b.at))
  const rowsOf = (name: string): ReadRow[] => readModels.find((one) => one.name === name)?.rows ?? []
  return {
    row,
    nowMs,
    async *turns(of) {
      const wanted = own.filter((turn) => !of || (turn.kind === of.kind && turn.actorId === of.id)).sort(byActor)
      for (let from = 0; from < wanted.length; from += pageTurns) yield wanted.slice(from, from + pageTurns)
    },
    findTurns: async (keys) => {
      return keys.flatMap((key) => {
        const position = taken.get(keyOfMessage(key))?.position
        return position === undefined ? [] : { ...key, position }
      })
    },
    turn: async (partition, position) => {
      return turns.find((turn) => turn.partition === partition && turn.position === position)
    },
    load: async (addresses) => {
      const wanted = new Set(addresses.map(keyOfAddress))
      return actors.filter((actor) => wanted.has(keyOfAddress(actor)))
    },
    letters: async (ids) => letters.filter(({ messageId }) => ids.includes(messageId)),
    repeated: async () => {
      const seen = new Set<string>()
      const again = own.find((turn) => seen.size === seen.add(keyOfTurn(turn)).size)
      return again && { kind: again.kind, id: again.actorId, partition, messageId: again.messageId }
    },
    stray: async () => {
      const known = new Set(own.map(({ kind, actorId }) => keyOfAddress({ partition, kind, id: actorId })))
      const stray = residents.find((actor) => !known.has(keyOfAddress(actor)) && !marked.has(keyOfAddress(actor)))
      return stray && { kind: stray.kind, id: stray.id }
    },
    alarms: async () => ({ armed: armed.length, ...(armed[0] && { first: armed[0] }) }),
    archiveFiles: async () => archive.files.filter((file) => file.partition === partition),
    archiveMarks: async (addresses) => {
      const wanted = new Set(addresses.map(keyOfAddress))
      return archive.marks.filter((mark) => wanted.has(keyOfAddress(mark)))
    },
    readModels: async () => {
      return readModels.flatMap(({ name, positions }) => {
        return positions.flatMap((at) => (at.partition === partition ? { name, position: at.position } : []))
      })
    },
    rows: async (name, keys) => {
      const wanted = new Set(keys.map(keyOfAddress))
      return rowsOf(name).filter((row) => wanted.has(keyOfAddress(row)))
    },
    countRows: async (name) => rowsOf(name).filter((row) => row.partition === partition).length,
  }
}

const keyOfAddress = ({ partition, kind, id }: Address & { partition: number }) => `${partition}/${kind}/${id}`
const keyOfMessage = (key: MessageKey): string => `${keyOfAddress(key)}/${key.messageId}`
const keyOfTurn = ({ partition, kind, actorId, messageId }: TurnRecord): string =>
  keyOfMessage({ partition, kind, id: actorId, messageId })

function byActor(a: TurnRecord, b: TurnRecord): number {
  return (
    a.actorId.localeCompare(b.actorId) ||
    a.kind.localeCompare(b.kind) ||
    a.version - b.version ||
    a.position - b.position
  )
}
