/**
 * An outside client on NATS: publishes commands to shows as fast as the broker stores them, with so many acknowledgements
 * awaited at once. It runs as a process of its own.
 *
 * Reads one JSON line of CommandLoadOptions from its arguments, writes one line when it begins and one JSON line of
 * CommandLoadResult once all are stored.
 */
import { randomUUID } from 'node:crypto'
import process from 'node:process'
import { connect, createInbox, headers } from '@nats-io/transport-node'
import { beginMark } from './client.ts'

export type CommandLoadOptions = { server: string; shows: string[]; commands: number; window: number }

export type CommandLoadResult = {
  /** What the broker refused, by its own words, and how often. */
  refused: Record<string, number>
  cpuSeconds: number
}

async function run({ server, shows, commands, window }: CommandLoadOptions): Promise<CommandLoadResult> {
  const connection = await connect({ servers: server })
  const refused: Record<string, number> = {}
  const reply = createInbox()
  const body = JSON.stringify({ booking_id: randomUUID(), number_of_tickets: 1 })
  let sent = 0
  let stored = 0
  const publish = (): void => {
    const id = headers()
    id.set('Nats-Msg-Id', randomUUID())
    const subject = `turnstile.cmd.show.${shows[sent % shows.length]}.ReleaseSeats`
    connection.publish(subject, body, { headers: id, reply })
    sent += 1
  }
  process.stdout.write(`${beginMark}\n`)
  const started = process.cpuUsage()
  await new Promise<void>((resolve) => {
    connection.subscribe(reply, {
      callback: (_, message) => {
        const { error } = message.json<{ error?: { description: string } }>()
        if (error) refused[error.description] = (refused[error.description] ?? 0) + 1
        stored += 1
        if (sent < commands) publish()
        if (stored === commands) resolve()
      },
    })
    for (let i = 0; i < Math.min(window, commands); i++) publish()
  })
  const { user, system } = process.cpuUsage(started)
  await connection.close()
  return { refused, cpuSeconds: (user + system) / 1e6 }
}

if (process.argv[2] !== undefined) {
  process.stdout.write(`${JSON.stringify(await run(JSON.parse(process.argv[2])))}\n`, () => process.exit(0))
}
