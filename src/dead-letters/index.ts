import { choose } from '../commands/choose.ts'
import { atDesk } from '../commands/desk.ts'
import { readConfig } from '../config.ts'
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

/** @returns the process's exit code */
export function deadLetters(args: string[]): Promise<number> {
  const program = 'turnstile dead-letters'
  const run = (command: Command, rest: string[]): Promise<number> =>
    atDesk(readConfig(process.env), program, (desk) => command.run(rest, desk))
  return choose(args, { program, help, commands, run })
}
