import type { Publisher } from '../engine/ports.ts'
import { TurnstileError } from '../errors.ts'
import type { DeadLetterStore } from '../store/dead-letter-store.ts'

/** One of the commands below `turnstile dead-letters`. */
export type Command = {
  help: string
  /** @returns the process's exit code */
  run(args: string[], desk: Desk): Promise<number>
}

/** What the commands work with. */
export type Desk = {
  letters: DeadLetterStore
  /** Connects to the broker when it is first asked for. */
  publisher(): Promise<Publisher>
  print(text: string): void
  /** Standard input, to its end. */
  readInput(): Promise<Uint8Array>
  /** How wide a line can be; nothing when it is no terminal that reads it. */
  columns: number | undefined
  /** Who is at the keyboard, unless `--by` says otherwise. */
  user: string
}

/** Something in the arguments is wrong. */
export const misused = (message: string): TurnstileError => new TurnstileError('config-invalid', message)
