/**
 * A closed-loop client: so many keep-alive connections, each sending its next booking when the last one is answered.
 * It runs as a process of its own, speaks just as much HTTP as it needs, and so leaves the machine to what is measured.
 *
 * Reads one JSON line of LoadOptions from its arguments, writes one line when the measured time begins and one JSON line of
 * LoadResult.
 */
import process from 'node:process'
import { beginMark } from './client.ts'
import { bookingRequest, type Line, openLine } from './http-line.ts'
import { type Tally, tallyOf } from './tally.ts'

export type LoadOptions = {
  port: number
  connections: number
  warmUpSeconds: number
  seconds: number
  shows: string[]
}

export type LoadResult = Omit<Tally, 'count'> & {
  /** Answers 201 in the measured time; the latencies are theirs. */
  booked: number
  /** Every other outcome and how often it came. */
  others: Record<string, number>
  seconds: number
  /** Of this client, in the measured time. */
  cpuSeconds: number
}

function run({ port, connections, warmUpSeconds, seconds, shows }: LoadOptions): void {
  const latenciesMs: number[] = []
  const others: Record<string, number> = {}
  let isMeasuring = false
  let next = 0
  const note = (outcome: string, ms: number): void => {
    if (!isMeasuring) return
    if (outcome === '201') latenciesMs.push(ms)
    else others[outcome] = (others[outcome] ?? 0) + 1
  }
  for (let i = 0; i < connections; i++)
    bookOnALine(port, () => bookingRequest(shows[next++ % shows.length] as string), note)

  setTimeout(() => {
    isMeasuring = true
    process.stdout.write(`${beginMark}\n`)
    const startedMs = performance.now()
    const startedCpu = process.cpuUsage()
    setTimeout(() => {
      isMeasuring = false
      const { count: booked, ...latencies } = tallyOf(latenciesMs)
      const seconds = (performance.now() - startedMs) / 1_000
      const { user, system } = process.cpuUsage(startedCpu)
      const result: LoadResult = { booked, others, seconds, cpuSeconds: (user + system) / 1e6, ...latencies }
      process.stdout.write(`${JSON.stringify(result)}\n`)
      process.exit(0)
    }, seconds * 1_000)
  }, warmUpSeconds * 1_000)
}

function bookOnALine(port: number, makeRequest: () => string, note: (outcome: string, ms: number) => void): void {
  let sentAtMs = 0
  const send = (line: Line): void => {
    sentAtMs = performance.now()
    line.send(makeRequest())
  }
  openLine(port, {
    connected: send,
    answered({ status }, line) {
      note(status, performance.now() - sentAtMs)
      send(line)
    },
    broke: (code) => note(code, 0),
  })
}

if (process.argv[2] !== undefined) run(JSON.parse(process.argv[2]))
