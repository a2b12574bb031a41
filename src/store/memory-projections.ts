import type {
  Changes,
  JournaledEvents,
  Lag,
  LiveProjections,
  ReadRow,
  RowKey,
  Stretch,
} from '../engine/read-model-ports.ts'
import { json } from './encode.ts'
import type { MemoryStore } from './memory.ts'

/**
 * Read models in memory, beside a journal in memory, for tests and the simulation: what `projections.ts` has in Postgres,
 * but for rebuilds. Rows are copied by way of JSON, as they are on the way to a database.
 */
export class MemoryProjections {
  readonly #journal: Pick<MemoryStore, 'heads' | 'readJournal'>
  /** By read model and partition. */
  readonly #positions = new Map<string, Map<number, number>>()
  /** By read model and key. */
  readonly #rows = new Map<string, Map<string, ReadRow>>()
  /** The connection that leads. */
  #leader: object | undefined

  constructor(journal: Pick<MemoryStore, 'heads' | 'readJournal'>) {
    this.#journal = journal
  }

  /** As on a connection of its own: the lead is its, and goes when it is closed. */
  connect(): LiveProjections {
    const connection = {}
    return {
      lags: (names) => this.#lags(names),
      readEvents: (stretches, kinds) => this.#readEvents(stretches, kinds),
      loadRows: async (name, keys) => copy(keys.flatMap((key) => this.#rowsOf(name).get(keyOf(key)) ?? [])),
      write: async (changes) => this.#write(changes),
      lead: async () => {
        this.#leader ??= connection
        return this.#leader === connection
      },
      enroll: (names) => this.#enroll(names),
      close: async () => {
        if (this.#leader === connection) this.#leader = undefined
      },
    }
  }

  /** Takes the lead from whoever has it, as when the server drops the connection. */
  endLead(): void {
    this.#leader = undefined
  }

  /** How far a read model has come. Nothing before it is enrolled. */
  position(name: string, partition: number): number | undefined {
    return this.#positionsOf(name).get(partition)
  }

  /** All rows of a read model. */
  rows(name: string): ReadRow[] {
    return copy([...this.#rowsOf(name).values()])
  }

  async #enroll(names: string[]): Promise<void> {
    const heads = await this.#journal.heads()
    for (const name of names) {
      for (const partition of heads.keys()) {
        const positions = this.#positionsOf(name)
        if (!positions.has(partition)) positions.set(partition, 0)
      }
    }
  }

  async #lags(names: string[]): Promise<Lag[]> {
    const heads = await this.#journal.heads()
    return heads.flatMap((head, partition) => {
      return names.flatMap((name) => {
        const position = this.#positionsOf(name).get(partition) ?? head
        return position < head ? { name, partition, position, head } : []
      })
    })
  }

  async #readEvents(stretches: Stretch[], kinds: string[]): Promise<JournaledEvents[]> {
    const read = stretches.map(({ partition, after, upTo }) =>
      this.#journal.readJournal(partition, after, upTo - after),
    )
    return (await Promise.all(read)).flat().flatMap(({ decision: { events }, ...turn }) => {
      const { partition, position, kind, actorId, version, at } = turn
      return events && kinds.includes(kind) ? { partition, position, kind, actorId, version, at, events } : []
    })
  }

  /** Nothing is awaited here: it happens at once, as one statement. */
  #write(changes: Changes[]): boolean {
    const isOpen = changes.every(({ name, moves }) => {
      return moves.every(({ partition, after }) => this.#positionsOf(name).get(partition) === after)
    })
    if (!isOpen) return false
    for (const { name, moves, put, gone } of changes) {
      const rows = this.#rowsOf(name)
      for (const { partition, upTo } of moves) this.#positionsOf(name).set(partition, upTo)
      for (const row of copy(put)) rows.set(keyOf(row), row)
      for (const key of gone) rows.delete(keyOf(key))
    }
    return true
  }

  #positionsOf(name: string): Map<number, number> {
    const positions = this.#positions.get(name) ?? new Map()
    this.#positions.set(name, positions)
    return positions
  }

  #rowsOf(name: string): Map<string, ReadRow> {
    const rows = this.#rows.get(name) ?? new Map()
    this.#rows.set(name, rows)
    return rows
  }
}

const keyOf = ({ partition, kind, id }: RowKey): string => `${partition}/${kind}/${id}`
const copy = <T>(value: T): T => JSON.parse(json(value))
