import { actors } from '../../actors/index.ts'
import { table } from '../commands/text.ts'
import { readDatabaseConfig } from '../config.ts'
import { openArchiveStore } from '../store/archive.ts'
import { archiveTurns } from './archive.ts'
import type { Tally } from './old-turns.ts'
import { parseOptions } from './options.ts'
import { openArchive } from './read.ts'

const help = `turnstile archive --older-than 90d --to DIR [options]

Moves old turns of actors that have ended from the journal into files below DIR: JSON lines, packed by gzip, with a manifest and
checksums. A turn goes when it is old, all that it sent and called for has been taken for good, it is in every read model, and its
actor has ended: a show whose time has come, a booking, ticket or VIP bundle that waits for nothing. The actors' states stay.

It works while everything runs, may be killed at any time, and goes on where it was when it is started again. verify, journal
show and projections rebuild read the files where they were written, or where --archive says.

  --older-than 90d   turns of messages that were accepted before then; s, m, h or d
  --to DIR           an absolute path is noted; the same folder every time, on a disk that is backed up
  --partition N      this partition alone
  --dry-run          only says what would go
  --json             one JSON object

  turnstile archive --older-than 90d --dry-run
  turnstile archive --older-than 90d --to /var/lib/turnstile/archive
`

/** Nobody waits for it. A statement that takes longer than some seconds gives up all the same. */
const deadlineMs = 60_000

/** @returns the process's exit code */
export async function runArchive(args: string[]): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) return print(help)
  const { POSTGRES_URL, TURNSTILE_REPEAT_DAYS, TURNSTILE_EVENT_DAYS } = readDatabaseConfig(process.env)
  const options = parseOptions(args, Math.max(TURNSTILE_REPEAT_DAYS, TURNSTILE_EVENT_DAYS))
  const { olderThanMs, folder, partition, isDryRun, isJson } = options
  const store = openArchiveStore({ url: POSTGRES_URL, applicationName: 'turnstile archive', deadlineMs })
  const nowMs = Date.now()
  try {
    const tally = await archiveTurns({
      ...{ store, actors, folder, partition, isDryRun, nowMs },
      archive: openArchive(),
      beforeMs: nowMs - olderThanMs,
      onProgress: (partition, turns) => printProgress(`partition ${partition}: ${turns} turns`),
    })
    printProgress('')
    return print(isJson ? `${JSON.stringify({ isDryRun, kinds: tally })}\n` : summaryOf(tally, isDryRun))
  } finally {
    await store.close()
  }
}

function summaryOf(tally: Tally, isDryRun: boolean): string {
  const rows = Object.entries(tally)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([kind, { ended, turns, open }]) => [kind, ...[ended, turns, open].map(String)])
  return table([['KIND', 'HAVE ENDED', isDryRun ? 'TURNS TO GO' : 'TURNS GONE', 'NOT ENDED'], ...rows])
}

/** A line that is written over and over is for people alone. */
function printProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
}

function print(text: string): number {
  process.stdout.write(text)
  return 0
}
