import type { Desk as LetterDesk } from '../commands/desk.ts'
import type { PauseStore } from '../store/pause-store.ts'

/** `turnstile pause`, `resume` or `pauses`. */
export type Command = {
  help: string
  /** @returns the process's exit code */
  run(args: string[], desk: Desk): Promise<number>
}

/** Messages to paused actors are kept with the dead letters. */
export type Desk = LetterDesk & { pauses: PauseStore }
