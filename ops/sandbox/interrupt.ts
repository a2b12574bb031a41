import { killAll } from './process.ts'

/**
 * One Ctrl-C arrives twice under npm: from the terminal, and once more from npm, which hands it on. What follows the
 * first signal within this time is taken for its echo.
 */
const echoMs = 500

const parentCheckMs = 1_000

/** Resolves at the first wish to stop. A second one kills all that runs, at once. */
export function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    let firstAt: number | undefined
    const onSignal = (): void => {
      firstAt ??= performance.now()
      resolve()
      if (performance.now() - firstAt < echoMs) return
      killAll()
      process.exit(130)
    }
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal)
    whenNpmIsGone(resolve)
  })
}

/** An npm that is killed outright hands on nothing, and nobody would know that we still run. */
function whenNpmIsGone(resolve: () => void): void {
  if (process.env.npm_lifecycle_event === undefined) return
  const npm = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === npm) return
    clearInterval(timer)
    resolve()
  }, parentCheckMs)
  timer.unref()
}
