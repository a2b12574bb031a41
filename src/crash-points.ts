/**
 * The moments at which a process dies worst. What a restart has to make good is tried at each of them, by a test that
 * preloads a module which kills the process there (`test/crashes.system.test.ts`).
 */
export type CrashPoint =
  /** A batch is decided, and nobody else knows of it. */
  | 'before-commit'
  /** The commit is known to have gone in, and nothing of it is told. */
  | 'after-commit'
  /** All that a batch tells is stored by the broker, and nowhere is it written down that it is. */
  | 'after-tell'
  /** A service has done what it was asked, and the actor has not been told. */
  | 'after-call'
  /** The actor's mailbox has the outcome, and the effect is still in its queue. */
  | 'after-outcome'
  /** A file of archived turns is on the disk, and nobody knows of it. */
  | 'archive-written'
  /** It is known, and all of its turns are in the journal too. */
  | 'archive-recorded'
  /** Some of its turns are in the journal no more. */
  | 'archive-step'
  /** A file has taken the place of another on record, and both are on the disk. */
  | 'archive-replaced'

type Watcher = (point: CrashPoint, service?: string) => void

let watcher: Watcher | undefined

/** Says that the point is reached. Outside of tests nobody listens. */
export function crashPoint(point: CrashPoint, service?: string): void {
  watcher?.(point, service)
}

export function watchCrashPoints(watch: Watcher): void {
  watcher = watch
}
