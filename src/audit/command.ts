import type { AuditStore } from '../store/audit.ts'

/** One of the commands below `turnstile audit`. */
export type Command = {
  help: string
  /** @returns the process's exit code */
  run(args: string[], desk: Desk): Promise<number>
}

/** What the commands work with. */
export type Desk = {
  log: AuditStore
  print(text: string): void
  /** How wide a line can be; nothing when it is no terminal that reads it. */
  columns: number | undefined
}
