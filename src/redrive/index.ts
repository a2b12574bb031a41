import { atDesk, deadlineMs } from '../commands/desk.ts'
import { readConfig } from '../config.ts'
import { openAudit } from '../store/audit.ts'
import { openRedrives } from '../store/redrive.ts'
import { help, redrive } from './redrive.ts'

/** @returns the process's exit code */
export async function runRedrive(args: string[]): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(help)
    return 0
  }
  const config = readConfig(process.env)
  const applicationName = 'turnstile redrive'
  const connection = { url: config.POSTGRES_URL, applicationName, deadlineMs }
  const [redrives, audit] = [openRedrives(connection), openAudit(connection)]
  try {
    return await atDesk(config, applicationName, ({ publisher, print, user }) =>
      redrive(args, {
        redrives,
        audit,
        user,
        publisher,
        print,
        partitions: config.TURNSTILE_PARTITIONS,
        nowMs: Date.now,
        // A line that is written over and over is for people alone.
        printProgress: (text) => void (process.stderr.isTTY && process.stderr.write(`\r\x1b[K${text}`)),
      }),
    )
  } finally {
    await Promise.all([redrives.close(), audit.close()])
  }
}
