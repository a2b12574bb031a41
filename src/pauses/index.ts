import { atDesk, deadlineMs } from '../commands/desk.ts'
import { readConfig } from '../config.ts'
import { openPauses } from '../store/pause-store.ts'
import { list } from './list.ts'
import { pause } from './pause.ts'
import { resume } from './resume.ts'

const pauseCommands = { pause, resume, pauses: list }

/** @returns the process's exit code */
export async function runPauseCommand(name: keyof typeof pauseCommands, args: string[]): Promise<number> {
  const command = pauseCommands[name]
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(command.help)
    return 0
  }
  const config = readConfig(process.env)
  const applicationName = `turnstile ${name}`
  const pauses = openPauses({ url: config.POSTGRES_URL, applicationName, deadlineMs })
  try {
    return await atDesk(config, applicationName, (desk) => command.run(args, { ...desk, pauses }))
  } finally {
    await pauses.close()
  }
}
