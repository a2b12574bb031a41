import { readConfig } from '../config.ts'
import type { Command } from './command.ts'
import { atDesk } from './desk.ts'
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
  return atDesk(readConfig(process.env), 'turnstile dead-letters', (desk) => command.run(args, desk))
}
