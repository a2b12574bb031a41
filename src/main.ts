import { parseArgs } from 'node:util'
import { runArchive } from './archive/index.ts'
import { audit } from './audit/index.ts'
import { readConfig, readDatabaseConfig } from './config.ts'
import { startDaemon } from './daemon.ts'
import { deadLetters } from './dead-letters/index.ts'
import { erase } from './erase/index.ts'
import { TurnstileError } from './errors.ts'
import { journal } from './journal/index.ts'
import { keys } from './keys/index.ts'
import { runPauseCommand } from './pauses/index.ts'
import { projections } from './projections/commands/index.ts'
import { runRedrive } from './redrive/index.ts'
import { parseRoles, roles } from './roles.ts'
import { prepareDatabase } from './store/postgres.ts'
import { verifyRecord } from './verify/index.ts'

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

/** Those with words of their own. */
const commands = {
  'dead-letters': deadLetters,
  pause: (args: string[]) => runPauseCommand('pause', args),
  resume: (args: string[]) => runPauseCommand('resume', args),
  pauses: (args: string[]) => runPauseCommand('pauses', args),
  projections,
  verify: verifyRecord,
  journal,
  keys,
  audit,
  erase,
  redrive: runRedrive,
  archive: runArchive,
}

async function main(args: string[]): Promise<number> {
  const [name = '', ...rest] = args
  if (Object.hasOwn(commands, name)) return commands[name as keyof typeof commands](rest)
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
  const daemon = await startDaemon(readConfig(process.env), chosen)
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
