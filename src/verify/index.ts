import { parseArgs } from 'node:util'
import { actors } from '../../actors/index.ts'
import { openArchive } from '../archive/read.ts'
import { misused, parseDuration } from '../commands/options.ts'
import { readDatabaseConfig } from '../config.ts'
import { hasCode } from '../errors.ts'
import { projections as readModels } from '../projections/index.ts'
import type { AuditHead } from '../store/audit-chain.ts'
import { openInspection } from '../store/postgres-inspection.ts'
import { checkNames, checks } from './checks.ts'
import { createProgress } from './progress.ts'
import { jsonReport, textReport } from './report.ts'
import { verify } from './verify.ts'

const help = `turnstile verify [options]

Reads the whole journal and the tables, and holds them against each other and against the rules of the actors. It only reads,
and may do so while everything runs; of what moves it takes one moment of each partition. POSTGRES_URL may name a standby.

  --partition N   this partition alone; then nothing is said of seats and of the audit log
  --audit-head S  a head of the audit log that turnstile audit head has printed, which must still be in it
  --grace 30m     how long a send, a call or an alarm may wait before it counts as lost; s, m, h or d
  --archive DIR   where the archive lies, when that is not where it was written
  --json          the report as one JSON object

What must hold:
${checkNames.map((name) => `  ${name.padEnd(11)} ${checks[name].holds}`).join('\n')}

It ends with 0 when all of it holds, with 1 when something does not, with 2 when it was called wrongly, and with 3 when the
database did not let it read to the end. Of each check the first difference is named, with the command that shows more.
docs/verify.md tells the rest.

  turnstile verify --grace 1d
  turnstile verify --partition 7 --json | jq .checks.states
`

/** The first page of a large partition, or the sorting of a long-lived actor, may take a while. */
const deadlineMs = 600_000

/** @returns the process's exit code */
export async function verifyRecord(args: string[]): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(help)
    return 0
  }
  try {
    return await run(parseOptions(args))
  } catch (error) {
    if (!hasCode(error, 'config-invalid') && !hasCode(error, 'database-unavailable')) throw error
    process.stderr.write(`${error.message}\n`)
    return error.code === 'config-invalid' ? 2 : 3
  }
}

type Options = ReturnType<typeof parseOptions>

async function run({ isJson, ...options }: Options): Promise<number> {
  const { POSTGRES_URL } = readDatabaseConfig(process.env)
  const inspection = openInspection({ url: POSTGRES_URL, applicationName: 'turnstile verify', deadlineMs })
  const progress = createProgress(process.stderr)
  const startedMs = performance.now()
  try {
    const findings = await verify(inspection, { ...options, actors, readModels, onProgress: progress.show })
    progress.clear()
    const seconds = (performance.now() - startedMs) / 1_000
    const report = isJson ? jsonReport(findings, seconds) : textReport(findings, seconds, options.partition)
    process.stdout.write(report)
    return findings.isClean ? 0 : 1
  } finally {
    progress.clear()
    await inspection.close()
  }
}

function parseOptions(args: string[]) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        partition: { type: 'string' },
        archive: { type: 'string' },
        'audit-head': { type: 'string' },
        grace: { type: 'string', default: '30m' },
        json: { type: 'boolean', default: false },
      },
    })
    const graceSeconds = parseDuration('--grace', values.grace) ?? 0
    return {
      partition: parsePartition(values.partition),
      auditHead: parseHead(values['audit-head']),
      graceMs: graceSeconds * 1_000,
      archive: openArchive(values.archive),
      isJson: values.json,
    }
  } catch (error) {
    throw misused((error as Error).message)
  }
}

function parseHead(text: string | undefined): AuditHead | undefined {
  if (text === undefined) return undefined
  const [, seq, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? []
  if (seq !== undefined && hash !== undefined) return { seq: Number(seq), hash }
  throw misused(`--audit-head must be what turnstile audit head has printed, not ${JSON.stringify(text)}`)
}

function parsePartition(text: string | undefined): number | undefined {
  if (text === undefined || /^\d{1,4}$/.test(text)) return text === undefined ? undefined : Number(text)
  throw misused(`--partition must be the number of a partition, from 0 on, not ${JSON.stringify(text)}`)
}
