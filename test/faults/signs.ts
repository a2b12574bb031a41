/** What the daemons say in their logs when a fault has reached them. */
const words = {
  'fenced workers': 'fenced: another worker owns',
  'commits whose end was unknown': 'a commit came to an unknown end',
  'leases that could not be renewed': 'the lease cannot be renewed',
  'lost connections to NATS': 'the connection to NATS is lost',
  'streams found to be lost': 'the broker has lost what it had stored',
  'partitions redriven': '"msg":"redriven"',
}
export type Sign = keyof typeof words

/** Counts the signs in what is logged. */
export function createSigns(): { counts: Record<Sign, number>; onLine(line: string): void } {
  const names = Object.keys(words) as Sign[]
  const counts = Object.fromEntries(names.map((name) => [name, 0])) as Record<Sign, number>
  return {
    counts,
    onLine(line) {
      for (const name of names) if (line.includes(words[name])) counts[name] += 1
    },
  }
}
