import { runBookings } from '../booking-run.ts'
import { type Run, type Subject, subjects } from '../figures.ts'
import { createShows } from '../shows.ts'
import { onStage, type Stage } from '../stage.ts'
import { type Bench, manySeats, type Workload } from '../workload.ts'
import { startYardstick, yardsticks } from '../yardsticks/start.ts'

/** The rush is spread over many shows, or all of it is for one. */
const showsOf: Record<string, number> = { uniform: 200, hot: 1 }

/** Ours and what people would write by hand, side by side on the same servers. */
export const rush: Workload = {
  names: Object.keys(showsOf),
  run: ({ size, nodeArgs, progress }, names) =>
    onStage(nodeArgs, async (stage) => {
      const contestants = await startAll(stage)
      const runs: Run[] = []
      for (let round = 1; round <= size.rounds; round++) {
        for (const workload of names) {
          progress(`${workload}, round ${round} of ${size.rounds}`)
          for (const count of size.connections) runs.push(...(await compare(stage, contestants, workload, count, size)))
        }
      }
      for (const { stop } of contestants) await stop()
      return runs
    }),
}

type Contestant = { subject: Subject; url: string; watched: Stage['watched']; stop(): Promise<void> }

/** Each with the processes that serve it; those of the others have nothing to do while it runs. */
async function startAll(stage: Stage): Promise<Contestant[]> {
  const daemon = await stage.addDaemon('daemon', 'ingress,worker,projector')
  const ours = [...stage.watched]
  const others = await Promise.all(
    yardsticks.map(async (subject) => {
      const server = await startYardstick(subject, stage.postgres.url)
      const watched = [
        { name: 'daemon', process: server.process },
        { name: 'postgres', process: stage.postgres.process },
      ]
      return { subject, watched, ...server }
    }),
  )
  return [{ subject: subjects[0], watched: ours, ...daemon }, ...others]
}

async function compare(
  stage: Stage,
  contestants: Contestant[],
  workload: string,
  connections: number,
  { seconds, warmUpSeconds }: Bench['size'],
): Promise<Run[]> {
  const runs: Run[] = []
  for (const { subject, url, watched } of contestants) {
    const shows = await createShows(url, { shows: showsOf[workload] ?? 1, seats: manySeats })
    const load = { connections, shows, seconds, warmUpSeconds }
    runs.push(
      await runBookings(
        { ...stage, watched },
        { workload, subject, condition: `${connections} connections`, url, load },
      ),
    )
  }
  return runs
}
