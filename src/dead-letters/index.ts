import { userInfo } from 'node:os'
import { buffer } from 'node:stream/consumers'
import type { Broker } from '../broker/broker.ts'
import { openBroker } from '../broker/nats.ts'
import { type Config, readConfig } from '../config.ts'
import { openDeadLetters } from '../store/dead-letter-store.ts'
import { createLog } from '../telemetry/log.ts'
import type { Command } from './command.ts'
import { discard } from './discard.ts'
import { edit } from './edit.ts'
import { list } from './list.ts'
import { requeue } from './requeue.ts'
import { show } from './show.ts'

const commands: Record<string, Command> = { list, show, requeue, edit, discard }

const help = `turnstile dead-letters COMMAND

Messages and effects that could not be handled are kept until somebody decides about them.

  list      which there are
  show      all there is about one
  requeue   sends them back to be handled
  edit      puts another payload into one
  discard   closes them, with a reason

Each has a --help of its own. docs/dead-letters.md tells the rest.
`

const deadlineMs = 30_000

/** @returns the process's exit code */
export async function deadLetters([name = '--help', ...args]: string[]): Promise<number> {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (!command) {
    const isAsked = name === '--help' || name === '-h'
    if (isAsked) process.stdout.write(help)
    else process.stderr.write(`turnstile dead-letters knows no command ${name}\n\n${help}`)
    return isAsked ? 0 : 2
  }
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(command.help)
    return 0
  }
  return run(command, args, readConfig(process.env))
}

async function run(command: Command, args: string[], config: Config): Promise<number> {
  const letters = openDeadLetters({ url: config.POSTGRES_URL, applicationName: 'turnstile dead-letters', deadlineMs })
  let broker: Promise<Broker> | undefined
  try {
    return await command.run(args, {
      letters,
      publisher: async () => {
        broker ??= connect(config)
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

function connect(config: Config): Promise<Broker> {
  return openBroker({
    url: config.NATS_URL,
    prefix: config.TURNSTILE_PREFIX,
    partitions: config.TURNSTILE_PARTITIONS,
    eventDays: config.TURNSTILE_EVENT_DAYS,
    log: createLog('error', 'dead-letters', { write: (line) => void process.stderr.write(line) }),
  })
}

/** In a container the user may have a number and no name. */
function userOfProcess(): string {
  try {
    return userInfo().username
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`
  }
}
