import { parseArgs } from 'node:util'
import { readConfig, readDatabaseConfig } from './config.ts'
import { TurnstileError } from './errors.ts'
import { parseRoles, roles } from './roles.ts'

const help = `turnstile sells tickets: every show and booking is an actor with a mailbox on NATS and a journal in Postgres.

  turnstile run [--roles ${roles.join(',')}]   runs the daemon; without --roles, all of it
  turnstile migrate [--grants]                 brings the database's schema up to date, and ends; with --grants, gives
                                               each kind of process its rights, by groups named turnstile_<role>
  turnstile dead-letters …                     lists, requeues, edits and discards what could not be handled
  turnstile pause|resume|pauses …              holds back an actor, a kind of actors or a service, and lets it go on
  turnstile projections …                      lists the read models, and makes one anew from the journal
  turnstile verify …                           reads the journal and holds everything against it
  turnstile journal show KIND ID …             tells an actor's life, turn by turn
  turnstile keys …                             makes, lists and revokes API keys
  turnstile erase EMAIL …                      takes a customer's personal data out of everything
  turnstile audit …                            lists what operators have done, and every refund
  turnstile redrive …                          publishes again what the broker has lost
  turnstile archive …                          moves old turns of actors that have ended into files
  turnstile --help                             this text

Settings come from the environment; the README lists them. POSTGRES_URL, NATS_URL and GATEWAY_ADDR must be set;
migrate, projections, verify, journal, archive and audit need only the first, keys none.
SIGTERM and SIGINT drain: requests under way are answered, partitions are handed over, then the process ends.
`

type Command = (args: string[]) => Promise<number>

/** Those with words of their own. Each loads what it needs itself: the daemon needs none of it, and they little of the daemon's. */
const commands: Record<string, Command> = {
  'dead-letters': async (args) => (await import('./dead-letters/index.ts')).deadLetters(args),
  pause: async (args) => (await import('./pauses/index.ts')).runPauseCommand('pause', args),
  resume: async (args) => (await import('./pauses/index.ts')).runPauseCommand('resume', args),
  pauses: async (args) => (await import('./pauses/index.ts')).runPauseCommand('pauses', args),
  projections: async (args) => (await import('./projections/commands/index.ts')).projections(args),
  verify: async (args) => (await import('./verify/index.ts')).verifyRecord(args),
  journal: async (args) => (await import('./journal/index.ts')).journal(args),
  keys: async (args) => (await import('./keys/index.ts')).keys(args),
  audit: async (args) => (await import('./audit/index.ts')).audit(args),
  erase: async (args) => (await import('./erase/index.ts')).erase(args),
  redrive: async (args) => (await import('./redrive/index.ts')).runRedrive(args),
  archive: async (args) => (await import('./archive/index.ts')).runArchive(args),
}

async function main(args: string[]): Promise<number> {
  const [name = '', ...rest] = args
  const named = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (named) return named(rest)
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      roles: { type: 'string', default: roles.join(',') },
      grants: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  })
  const [command, ...others] = positionals
  if (values.help) return print(help)
  if (others.length > 0) return usage(`turnstile ${command} takes no ${others.join(' ')}`)
  switch (command) {
    case 'run':
      return run(parseRoles(values.roles))
    case 'migrate':
      return migrate(values.grants)
    default:
      return usage(command === undefined ? 'turnstile needs a command' : `turnstile knows no command ${command}`)
  }
}

async function run(chosen: ReturnType<typeof parseRoles>): Promise<number> {
  const config = readConfig(process.env)
  const { startDaemon } = await import('./daemon/index.ts')
  const daemon = await startDaemon(config, chosen)
  // A second signal ends it at once: nothing is lost by that, others only take over a little later.
  const asked = new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve())
  })
  await asked
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(130))
  await daemon.stop()
  return 0
}

async function migrate(isGranting: boolean): Promise<number> {
  const { POSTGRES_URL, TURNSTILE_PARTITIONS } = readDatabaseConfig(process.env)
  const { prepareDatabase } = await import('./store/postgres.ts')
  const applied = await prepareDatabase(POSTGRES_URL, TURNSTILE_PARTITIONS, isGranting)
  return print(applied.length > 0 ? `Applied ${applied.join(', ')}.\n` : 'The schema is up to date.\n')
}

function print(text: string): number {
  process.stdout.write(text)
  return 0
}

function usage(fault: string): number {
  process.stderr.write(`${fault}\n\n${help}`)
  return 2
}

/** Ours explain themselves; of anything else the stack is needed. */
function explain(error: unknown): string {
  if (error instanceof TurnstileError) return error.message
  if (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'))
    return error.message
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

// A reader that has seen enough, such as `head`, is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error) => {
    process.stderr.write(`${explain(error)}\n`)
    process.exit(1)
  },
)
