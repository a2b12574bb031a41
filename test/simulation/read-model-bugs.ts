import type { Changes, LiveProjections } from '../../src/engine/read-model-ports.ts'
import type { Bug } from './simulation.ts'

/** What can go wrong between a projector and its read models. */
export const readModelBugs = {
  'the position of a read model is not in the statement of its rows': {
    ports: (ports) => ({
      ...ports,
      projections: writing(ports.projections, async (changes) => {
        await ports.projections.write(changes.map((change) => ({ ...change, moves: [] })))
        return ports.projections.write(changes.map((change) => ({ ...change, put: [], gone: [] })))
      }),
    }),
  },
  'a write of read models demands no position': {
    projections: (session) =>
      writing(session, async (changes) => {
        const lags = await session.lags(changes.map(({ name }) => name))
        return session.write(changes.map((change) => ({ ...change, moves: movesFrom(lags, change) })))
      }),
  },
} satisfies Record<string, Bug>

const writing = (session: LiveProjections, write: LiveProjections['write']): LiveProjections => ({ ...session, write })

/** From wherever the read model stands now. */
function movesFrom(lags: Awaited<ReturnType<LiveProjections['lags']>>, { name, moves }: Changes): Changes['moves'] {
  return moves.flatMap((move) => {
    const now = lags.find((lag) => lag.name === name && lag.partition === move.partition)
    return now ? { ...move, after: now.position } : []
  })
}
