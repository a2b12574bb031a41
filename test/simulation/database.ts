import type { Commit } from '../../src/engine/ports.ts'
import type { Changes, LiveProjections } from '../../src/engine/read-model-ports.ts'
import { Connection } from './connection.ts'
import type { Faults } from './faults.ts'
import type { Host } from './host.ts'
import type { DatabaseStore } from './watched.ts'

/** What the shipped store has a connection for each of. */
type Use = 'commit' | 'read' | 'lease'

type Method = keyof DatabaseStore

const useOf: { [M in Method]?: Use } = { commit: 'commit', load: 'read', findTurns: 'read', readJournal: 'read' }

/** The database as a process sees it: connections that keep their order, break, go silent, and outlive those who opened them. */
export class Database {
  isDown = false
  readonly #store: DatabaseStore
  readonly #openProjections: () => LiveProjections
  readonly #faults: Faults
  readonly #deadlineMs: number

  /** @param openProjections a session of the server's, for one connection */
  constructor(store: DatabaseStore, openProjections: () => LiveProjections, faults: Faults, deadlineMs: number) {
    this.#store = store
    this.#openProjections = openProjections
    this.#faults = faults
    this.#deadlineMs = deadlineMs
  }

  connect(host: Host): DatabaseStore {
    const connections = new Map<Use, Connection>()
    const run = (method: Method, args: unknown[]): Promise<unknown> => {
      const use = useOf[method] ?? 'lease'
      let connection = connections.get(use)
      if (!connection || connection.isBroken) {
        connection = new Connection(this, host, this.#faults, this.#deadlineMs)
        connections.set(use, connection)
      }
      const perform = this.#store[method] as (...args: unknown[]) => Promise<unknown>
      return connection.run(describe(method, args), method === 'commit', () => perform(...args))
    }
    const get = (_: DatabaseStore, method: string | symbol) => {
      return (...args: unknown[]) => run(method as Method, args)
    }
    return new Proxy<DatabaseStore>(this.#store, { get })
  }
  /** What the server has of something, on a connection of its own that is opened anew when it breaks. */
  open<T extends object>(host: Host, has: T): T {
    let connection: Connection | undefined
    const get = (_: T, method: string | symbol) => {
      return (...args: unknown[]) => {
        if (!connection || connection.isBroken) connection = new Connection(this, host, this.#faults, this.#deadlineMs)
        const perform = has[method as keyof T] as (...args: unknown[]) => Promise<unknown>
        return connection.run(String(method), false, () => perform(...args))
      }
    }
    return new Proxy(has, { get })
  }

  /** Like `openLiveProjections`: on a connection of its own, with which the lead goes. */
  connectProjections(host: Host): LiveProjections {
    let line: { connection: Connection; session: LiveProjections; isLeading: boolean } | undefined
    const open = () => {
      if (line && !line.connection.isBroken) return line
      const session = this.#openProjections()
      const connection = new Connection(this, host, this.#faults, this.#deadlineMs, () => void session.close())
      line = { connection, session, isLeading: false }
      return line
    }
    const run = <T>(what: string, query: (session: LiveProjections) => Promise<T>): Promise<T> => {
      const { connection, session } = open()
      return connection.run(what, false, () => query(session)) as Promise<T>
    }
    return {
      lags: (names) => run('lags', (session) => session.lags(names)),
      readEvents: (stretches, kinds) => run('readEvents', (session) => session.readEvents(stretches, kinds)),
      loadRows: (name, keys) => run(`loads ${name}`, (session) => session.loadRows(name, keys)),
      write: (changes) => run(`writes ${changes.map(placesOf).join(' ')}`, (session) => session.write(changes)),
      enroll: (names) => run('enroll', (session) => session.enroll(names)),
      async lead() {
        const { isLeading } = open()
        const leads = isLeading || (await run('lead', (session) => session.lead()))
        if (line) line.isLeading = leads
        return leads
      },
      close: async () => line?.session.close(),
    }
  }
}

const placesOf = ({ name, moves }: Changes): string =>
  `${name} ${moves.map(({ partition, after, upTo }) => `${partition}@${after}>${upTo}`).join(',')}`

function describe(method: Method, args: unknown[]): string {
  if (method !== 'commit') return method
  const { partitions, turns, deadLetters } = args[0] as Commit
  const where = partitions.map(({ id, epoch, head, turns, cursor }) => `${id}/${epoch}@${head}+${turns}>${cursor}`)
  const what = turns.map(({ actorId, version, message }) => `${message.type} ${actorId.slice(-4)}.${version}`)
  const letters = deadLetters.map(({ type, actorId }) => `${type} of ${actorId.slice(-4)} set aside`)
  return `commit ${where.join(' ')}: ${[...what, ...letters].join(', ')}`
}
