export type Tally = { count: number; p50Ms: number; p99Ms: number; p999Ms: number; maxMs: number }

export function tallyOf(latenciesMs: number[]): Tally {
  const sorted = Float64Array.from(latenciesMs).sort()
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  return { count: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), p999Ms: at(0.999), maxMs: at(1) }
}
