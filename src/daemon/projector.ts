import { startRefundAudit } from '../audit/refunds.ts'
import { systemClock } from '../clock.ts'
import { projections } from '../projections/index.ts'
import { Projector } from '../projections/projector.ts'
import { openLiveProjections } from '../store/projections.ts'
import { openRefundAudit } from '../store/refund-audit.ts'
import type { Ground } from './ground.ts'

/** Nothing hangs on a read model's time but its lag, and its largest steps take a while. */
const deadlineMs = 10_000

/** Folds the journal into the read models, and its refunds into the audit log. */
export function startProjector({ config, worker, log, metrics, recent, parts }: Ground): void {
  const connectionOf = (what: string) => {
    return { url: config.POSTGRES_URL, applicationName: `turnstile ${worker} ${what}`, deadlineMs }
  }
  const live = openLiveProjections(connectionOf('projector'))
  const store = recent.before(live)
  const projector = new Projector({ projections, store, clock: systemClock, log, observer: metrics.observer })
  projector.start()
  parts.push({ name: 'read models', stop: () => live.close() }, { name: 'projector', stop: () => projector.stop() })

  const refunds = openRefundAudit(connectionOf('audit'))
  const stop = startRefundAudit(refunds, systemClock, log)
  parts.push({ name: 'audit log', stop: () => refunds.close() }, { name: 'refund audit', stop })
}
