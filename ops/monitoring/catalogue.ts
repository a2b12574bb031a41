import { createMetrics } from '../../src/telemetry/metrics.ts'

/** A metric as the daemon declares it. */
export type Metric = { name: string; type: string; help: string; labels: string[] }

/** By the names that Prometheus stores: the labels that a series can have. */
export type Series = ReadonlyMap<string, ReadonlySet<string>>

/** What Prometheus or Kubernetes adds to every series when it scrapes. */
export const targetLabels = ['job', 'instance', 'namespace', 'pod']

/** Every metric in the daemon's registry, in its order. */
export function metricsOfDaemon(): Metric[] {
  return createMetrics()
    .registry.getMetricsAsArray()
    .map((metric) => {
      // Missing in the types of prom-client.
      const { labelNames } = metric as unknown as { labelNames: string[] }
      return { name: metric.name, type: String(metric.type), help: metric.help, labels: [...labelNames] }
    })
}

/** What can be asked for: the daemon's series, and what Prometheus notes of each target. */
export function seriesOfDaemon(): Series {
  const series = new Map<string, Set<string>>([['up', new Set(targetLabels)]])
  for (const { name, type, labels } of metricsOfDaemon()) {
    const all = [...labels, ...targetLabels]
    if (type !== 'histogram') series.set(name, new Set(all))
    else {
      series.set(`${name}_bucket`, new Set([...all, 'le']))
      for (const part of ['sum', 'count']) series.set(`${name}_${part}`, new Set(all))
    }
  }
  return series
}
