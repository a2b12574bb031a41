import { isDeepStrictEqual } from 'node:util'
import type { AnyActor } from '../actor/actor.ts'
import { upcast } from '../actor/turn.ts'
import { keyOf } from '../engine/cache.ts'
import type { Address, TurnRecord } from '../engine/ports.ts'
import type { AnyProjection } from '../projections/projection.ts'
import type { PartitionView } from '../store/inspection.ts'
import { eventsOf } from './events.ts'
import type { Findings } from './findings.ts'

/** A read model, and how far it has come in the partition that is looked at: what it lacks is no fault. */
export type Standing = { projection: AnyProjection; position: number }

/** The rows that an actor's turns have led to, by read model. */
export type Rows = Map<string, object>

/** The read models that have begun in this partition. */
export async function standingsIn(
  view: PartitionView,
  readModels: AnyProjection[],
  findings: Findings,
): Promise<Standing[]> {
  const { head, id } = view.row
  const positions = new Map((await view.readModels()).map(({ name, position }) => [name, position]))
  return readModels.flatMap((projection) => {
    const position = positions.get(projection.name)
    if (position === undefined) return []
    findings.lag(projection.name, Math.max(0, head - position))
    if (position > head) {
      const where = `${projection.name} in partition ${id}`
      findings.differ('projections', { where, expected: `${head}, the head, at most`, found: String(position) })
    }
    return { projection, position }
  })
}

/** One turn more, as far as the read models have come. */
export function followRows(
  rows: Rows,
  actor: AnyActor | undefined,
  turn: TurnRecord,
  standings: Standing[],
  findings: Findings,
): void {
  for (const { projection, position } of standings) {
    const folds = projection.folds[turn.kind]
    if (!folds || turn.position > position) continue
    for (const said of eventsOf(turn)) {
      const event = actor ? upcast(actor, said) : said
      try {
        const fold = folds[event.type]
        const row = fold ? fold(rows.get(projection.name) as never, event as never, turn) : rows.get(projection.name)
        if (row) rows.set(projection.name, row)
        else rows.delete(projection.name)
      } catch (error) {
        const where = `${projection.name}, ${keyOf({ kind: turn.kind, id: turn.actorId })}`
        findings.differ('projections', { where, expected: `a fold of ${event.type}`, found: String(error) })
      }
    }
  }
}

type Followed = { address: Address & { partition: number }; rows: Rows }

/** Holds the rows of actors that have been followed to their ends against what is stored. @returns how many there must be */
export async function checkRows(
  view: PartitionView,
  lives: Followed[],
  standings: Standing[],
  findings: Findings,
): Promise<Map<string, number>> {
  const due = new Map<string, number>()
  for (const { projection } of standings) {
    const { name, folds } = projection
    const looked = lives.filter(({ address }) => folds[address.kind])
    if (looked.length === 0) continue
    const found = await view.rows(
      name,
      looked.map(({ address }) => address),
    )
    const stored = new Map(found.map((row) => [keyOf(row), row.fields]))
    findings.look('projections', looked.length)
    due.set(name, looked.filter(({ rows }) => rows.has(name)).length)
    for (const { address, rows } of looked) {
      // By way of JSON, like what is stored.
      const row = rows.has(name) ? JSON.parse(JSON.stringify(rows.get(name))) : undefined
      const other = stored.get(keyOf(address))
      if (!isDeepStrictEqual(row, other)) findings.differ('projections', differenceOf(name, address, row, other))
    }
  }
  return due
}

/** Rows of nobody. */
export async function checkStrayRows(
  view: PartitionView,
  standings: Standing[],
  due: Map<string, number>,
  findings: Findings,
): Promise<void> {
  for (const { projection } of standings) {
    const { name } = projection
    const [expected, found] = [due.get(name) ?? 0, await view.countRows(name)]
    if (found === expected) continue
    const where = `${name} in partition ${view.row.id}`
    const look = `turnstile projections rebuild ${name}`
    findings.differ('projections', { where, expected: `${expected} rows`, found: `${found} rows`, look })
  }
}

function differenceOf(name: string, { kind, id }: Address, expected: object | undefined, found: object | undefined) {
  const text = (row: object | undefined) => (row ? JSON.stringify(row) : 'no row')
  const look = `turnstile journal show ${kind} ${id}`
  return { where: `${name}, ${keyOf({ kind, id })}`, expected: text(expected), found: text(found), look }
}
