import type { Desk } from '../commands/desk.ts'

/** One of the commands below `turnstile dead-letters`. */
export type Command = {
  help: string
  /** @returns the process's exit code */
  run(args: string[], desk: Desk): Promise<number>
}
