import { Connection, type ConnectionOptions, type Query } from './connection.ts'

/**
/**
 * What a connection is for. One each, so that a load never waits for a commit, nor the heartbeat for a long read, nor a
 * request for those who listen, nor any of them for a flood of notes; and so that what is asked first is done first.
 */
export type Use = 'commit' | 'read' | 'lease' | 'listen' | 'notes'

/** The process's connections: opened when first used, replaced when they break. */
export class Database {
  readonly #options: ConnectionOptions
  readonly #connections = new Map<Use, Connection>()

  constructor(options: ConnectionOptions) {
    this.#options = options
  }

  run<Row extends object>(use: Use, query: Query<Row>): Promise<Row[]> {
    let connection = this.#connections.get(use)
    if (!connection || connection.isBroken) {
      connection = new Connection({ ...this.#options, applicationName: `${this.#options.applicationName} ${use}` })
      this.#connections.set(use, connection)
    }
    return connection.run(query)
  }

  /** Waits for what is under way. Nothing may be asked afterwards. */
  async close(): Promise<void> {
    await Promise.all([...this.#connections.values()].map((connection) => connection.close()))
  }
}
