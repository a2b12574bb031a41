import type { RebuildStore } from '../../engine/read-model-ports.ts'

/** One of the commands below `turnstile projections`. */
export type Command = {
  help: string
  /** @returns the process's exit code */
  run(args: string[], desk: Desk): Promise<number>
}

/** What the commands work with. */
export type Desk = {
  store: RebuildStore
  print(text: string): void
  /** Shows how it stands, in place of what was shown before. */
  printProgress(text: string): void
}
