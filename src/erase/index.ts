import { parseArgs } from 'node:util'
import { email as emailSchema } from '../../schemas/values.ts'
import { erasedEmail, eraserOf } from '../actor/erasure.ts'
import { openStoredMessages } from '../broker/stored.ts'
import { systemClock } from '../clock.ts'
import { deadlineMs, logOf, userOfProcess } from '../commands/desk.ts'
import { authorOf, authorOptions, misused, parseDuration } from '../commands/options.ts'
import { readConfig } from '../config.ts'
import { TurnstileError } from '../errors.ts'
import { projections } from '../projections/index.ts'
import { openArchiveStore } from '../store/archive.ts'
import { openAudit } from '../store/audit.ts'
import { openErasure } from '../store/erasure.ts'
import { eraseCustomer, type Surroundings } from './erase.ts'
import { textOf } from './text.ts'

const help = `turnstile erase EMAIL [options]

Takes a customer's personal data out of all tables, streams and archive files, while everything runs: their address, and the
names of the passengers of their bundles. What they have booked stays, in the name of ${erasedEmail}, and lives on.
It cannot be undone. Look at what --dry-run says first. docs/erasure.md tells what it does not reach.

  --dry-run      only counts what names the customer
  --wait 30s     how long it goes on when something that names the customer is still under way; s, m, h or d
  --archive DIR  where the archive lies, when that is not where it was written
  --reason WHY   for the audit log, such as the number of the request; not the address
  --by WHO       for the audit log; the user of this process unless given
  --json         the outcome as one JSON object

It ends with 0 when nothing names the customer any more, and with 1 when something does that it must leave alone: run it again
when that is over. Run again, it does no harm.

  turnstile erase kate@example.com --dry-run
`

/** @returns the process's exit code */
export async function erase(args: string[]): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(help)
    return 0
  }
  const options = parseOptions(args)
  const config = readConfig(process.env)
  const { POSTGRES_URL, NATS_URL: url, TURNSTILE_PREFIX: prefix, TURNSTILE_PARTITIONS: partitions } = config
  const name = 'turnstile erase'
  const stored = await openStoredMessages({ url, security: config, prefix, partitions, log: logOf(name) })
  const connection = { url: POSTGRES_URL, applicationName: name, deadlineMs }
  const [store, audit] = [openErasure(connection), openAudit(connection)]
  const archive = { store: openArchiveStore(connection), folder: options.folder }
  try {
    return await run(options, { store, stored, archive, audit, clock: systemClock })
  } finally {
    await Promise.all([stored.close(), store.close(), archive.store.close(), audit.close()])
  }
}

type Options = ReturnType<typeof parseOptions>

async function run({ email, isDryRun, isJson, waitMs, author }: Options, around: Surroundings): Promise<number> {
  if (!(await around.store.keepRebuildsAway(projections.map(({ name }) => name)))) {
    const advice = 'Wait for that to end: turnstile projections list shows how it stands.'
    throw new TurnstileError('projection-rebuilding', `a read model is being rebuilt. ${advice}`)
  }
  // A line that is written over and over is for people alone.
  const showProgress = (text: string) => void (process.stderr.isTTY && process.stderr.write(`\r\x1b[K${text}`))
  const work = { email, erase: eraserOf(email), isDryRun, showProgress }
  const outcome = await eraseCustomer(work, around, author, waitMs)
  showProgress('')
  process.stdout.write(isJson ? `${JSON.stringify({ isDryRun, ...outcome })}\n` : textOf(outcome, isDryRun))
  return outcome.isDone || isDryRun ? 0 : 1
}

function parseOptions(args: string[]) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      ...authorOptions,
      'dry-run': { type: 'boolean', default: false },
      wait: { type: 'string', default: '30s' },
      archive: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  })
  const [given, ...others] = positionals
  const email = emailSchema.safeParse(given).data
  if (email === undefined || others.length > 0) throw misused('erase takes the address of one customer')
  if (email.toLowerCase() === erasedEmail) throw misused(`${erasedEmail} stands for all who are erased already`)
  return {
    email,
    isDryRun: values['dry-run'],
    isJson: values.json,
    folder: values.archive,
    waitMs: (parseDuration('--wait', values.wait) ?? 0) * 1_000,
    author: authorOf({ user: userOfProcess() }, values),
  }
}
