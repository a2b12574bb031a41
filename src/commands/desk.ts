import { userInfo } from 'node:os'
import { buffer } from 'node:stream/consumers'
import type { Broker } from '../broker/broker.ts'
import { brokerSettings, openBroker } from '../broker/nats.ts'
import type { Config } from '../config.ts'
import type { Log, Publisher } from '../engine/ports.ts'
import { noTracer } from '../engine/trace-ports.ts'
import { type DeadLetterStore, openDeadLetters } from '../store/dead-letter-store.ts'
import { createLog } from '../telemetry/log.ts'

/** What the commands work with. */
export type Desk = {
  letters: DeadLetterStore
  /** Connects to the broker when it is first asked for. */
  publisher(): Promise<Publisher>
  print(text: string): void
  /** Standard input, to its end. */
  readInput(): Promise<Uint8Array>
  /** How wide a line can be; nothing when it is no terminal that reads it. */
  columns: number | undefined
  /** Who is at the keyboard, unless `--by` says otherwise. */
  user: string
}

/** A person waits for it. */
export const deadlineMs = 30_000

/**
 * Sets up what the commands work with, and clears it away afterwards.
 *
 * @param name what `pg_stat_activity` and the log call it
 */
export async function atDesk<T>(config: Config, name: string, work: (desk: Desk) => Promise<T>): Promise<T> {
  const letters = openDeadLetters({ url: config.POSTGRES_URL, applicationName: name, deadlineMs })
  let broker: Promise<Broker> | undefined
  try {
    return await work({
      letters,
      publisher: async () => {
        broker ??= connect(config, name)
        return (await broker).publisher
      },
      print: (text) => void process.stdout.write(text),
      readInput: () => buffer(process.stdin),
      columns: process.stdout.isTTY ? process.stdout.columns : undefined,
      user: userOfProcess(),
    })
  } finally {
    await broker?.then(
      (open) => open.close(),
      () => undefined,
    )
    await letters.close()
  }
}

function connect(config: Config, name: string): Promise<Broker> {
  return openBroker({ ...brokerSettings(config), log: logOf(name), tracer: noTracer })
}

/** What goes wrong, for a person who waits for something else. */
export const logOf = (name: string): Log =>
  createLog('error', name, { write: (line) => void process.stderr.write(line) })

/** In a container the user may have a number and no name. */
export function userOfProcess(): string {
  try {
    return userInfo().username
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`
  }
}
