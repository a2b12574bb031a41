import type { Clock, Log } from '../engine/ports.ts'
import type { RefundAudit } from '../store/refund-audit.ts'

/** Between two looks at the journal. */
const pauseMs = 1_000

/**
 * Keeps the audit log up with the refunds of the journal. They get there by the journal, and not with the commit of their
 * turn: the log has one end, at which all commits would wait for each other.
 *
 * @returns what ends it, with the step that is under way; the store is the caller's to close
 */
export function startRefundAudit(
  refunds: Pick<RefundAudit, 'enroll' | 'step'>,
  clock: Clock,
  log: Log,
): () => Promise<void> {
  const stopping = new AbortController()
  const running = run(refunds, clock, log, stopping.signal)
  return () => {
    stopping.abort()
    return running
  }
}

async function run(
  refunds: Pick<RefundAudit, 'enroll' | 'step'>,
  clock: Clock,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  let isEnrolled = false
  let isReachable = true
  while (!signal.aborted) {
    try {
      if (!isEnrolled) await refunds.enroll()
      isEnrolled = true
      const isMore = await refunds.step()
      if (!isReachable) log.info({}, 'the audit of refunds goes on')
      isReachable = true
      if (!isMore) await clock.sleep(pauseMs, signal)
    } catch (error) {
      if (isReachable) log.warn({ err: error }, 'the audit of refunds stands still; tried again shortly')
      isReachable = false
      await clock.sleep(pauseMs, signal)
    }
  }
}
