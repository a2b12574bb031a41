import { runBookings } from '../booking-run.ts'
import type { Run } from '../figures.ts'
import { startHelper } from '../helper.ts'
import { onStage, type Stage } from '../stage.ts'
import type { Workload } from '../workload.ts'
import { type Cell, openCell } from './cells.ts'

const connections = 64

type House = Cell & { condition: string; watched: Stage['watched'] }

/** What following a tenth of the stories costs: two installations on the same servers, one of them traced, in turns. */
export const tracing: Workload = {
  names: ['tracing'],
  run: ({ size, nodeArgs, progress }) =>
    onStage(nodeArgs, async (stage) => {
      const collector = await startHelper('the collector', 'cheap-collector.ts')
      try {
        const servers = [...stage.watched]
        const houses: House[] = []
        for (const { condition, name, settings } of housesAt(collector.url)) {
          const cell = await openCell(stage, name, settings)
          houses.push({ ...cell, condition, watched: [...servers, ...stage.watched.slice(-1)] })
        }
        const runs: Run[] = []
        for (let round = 1; round <= size.rounds; round++) {
          for (const { condition, url, shows, watched } of houses) {
            progress(`tracing, round ${round} of ${size.rounds}: ${condition}`)
            const { seconds, warmUpSeconds } = size
            const load = { connections, shows, seconds, warmUpSeconds }
            const what = { workload: 'tracing', subject: 'turnstile', condition } as const
            runs.push(await runBookings({ ...stage, watched }, { ...what, url, load }))
          }
        }
        return runs
      } finally {
        await collector.stop()
      }
    }),
}

const housesAt = (collector: string) => [
  { condition: 'off', name: 'untraced', settings: {} },
  {
    condition: '10 %',
    name: 'traced',
    settings: {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector,
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.1',
    },
  },
]
