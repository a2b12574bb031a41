import { simulate } from './simulation.ts'

export type Stretch = { first: number; last: number }

// A process of its own: it simulates what it is told to, one stretch of seeds after the other.

process.on('message', async ({ first, last }: Stretch) => {
  for (let seed = first; seed <= last; seed++) process.send?.(await simulate(seed))
  process.send?.('done')
})
