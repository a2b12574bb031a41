import { setTimeout as sleep } from 'node:timers/promises'

/** Waits until the condition holds, and fails with `what` when it does not in time. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  withinMs = 10_000,
): Promise<number> {
  const startedMs = performance.now()
  while (!(await condition())) {
    if (performance.now() - startedMs > withinMs) throw new Error(`not within ${withinMs} ms: ${what}`)
    await sleep(10)
  }
  return performance.now() - startedMs
}
