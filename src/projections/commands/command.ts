import type { RebuildStore } from '../../engine/read-model-ports.ts'
import type { AuditStore } from '../../store/audit.ts'

/** One of the commands below `turnstile projections`. */
export type Command = {
  help: string
  /** @returns the process's exit code */
  run(args: string[], desk: Desk): Promise<number>
}

/** What the commands work with. */
export type Desk = {
  store: RebuildStore
  audit: Pick<AuditStore, 'append'>
  /** Who is at the keyboard, unless `--by` says otherwise. */
  user: string
  print(text: string): void
  /** Shows how it stands, in place of what was shown before. */
  printProgress(text: string): void
}
