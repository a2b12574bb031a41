import { simulate } from './simulation.ts'

/** A process of its own that simulates what it is told to, one stretch of seeds after the other. */
export type Stretch = { first: number; last: number }

process.on('message', async ({ first, last }: Stretch) => {
  for (let seed = first; seed <= last; seed++) process.send?.(await simulate(seed))
  process.send?.('done')
})
