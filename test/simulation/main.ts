import { mkdirSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { plantedBugs } from './bugs.ts'
import { simulateAll } from './jobs.ts'
import { everySight, Sightings } from './sightings.ts'
import { type Result, simulate } from './simulation.ts'

const help = `npm run sim [-- options]: runs the shipped engine in a simulated world, with crashes and faults of every kind, seed by seed.

  --seeds N    how many seeds (100)
  --seed S     the first of them (1); without --seeds only this one
  --jobs N     processes (one for each core)
  --trace      prints all that happens in a seed; with --seed
  --bug NAME   plants a bug, to see how it shows; with --seed
  --json FILE  writes the figures there too
`

/** So many seeds must have seen everything there is to see. */
const enoughSeeds = 1_000

export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      seeds: { type: 'string' },
      seed: { type: 'string' },
      jobs: { type: 'string', default: String(os.availableParallelism()) },
      trace: { type: 'boolean', default: false },
      bug: { type: 'string' },
      json: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(help)
    return 0
  }
  const first = Number(values.seed ?? 1)
  const seeds = Number(values.seeds ?? (values.seed === undefined ? 100 : 1))
  if (seeds === 1) return showOne(first, values.trace, values.bug)
  return runMany(first, seeds, Number(values.jobs), values.json)
}

async function showOne(seed: number, isTraced: boolean, bugName: string | undefined): Promise<number> {
  const bug = bugName === undefined ? {} : (plantedBugs as Record<string, object>)[bugName]
  if (!bug) {
    process.stderr.write(`there is no bug of this name; choose from\n  ${Object.keys(plantedBugs).join('\n  ')}\n`)
    return 1
  }
  const result = await simulate(seed, { bug, keepLines: isTraced ? Number.POSITIVE_INFINITY : 60 })
  if (isTraced) process.stdout.write(`${result.lastLines.join('\n')}\n`)
  const { turns, events, simulatedMs, digest } = result
  process.stdout.write(`seed ${seed}: ${turns} turns, ${events} events in ${simulatedMs} ms; trace ${digest}\n`)
  if (!result.violation) return 0
  process.stdout.write(isTraced ? titleOf(result) : report(result))
  return 1
}

async function runMany(first: number, seeds: number, jobs: number, jsonFile: string | undefined): Promise<number> {
  const sightings = new Sightings()
  const found: Result[] = []
  const sums = { seeds: 0, turns: 0, events: 0, simulatedMs: 0 }
  const startedMs = performance.now()
  const progress = startProgress(() => `${sums.seeds} of ${seeds} seeds, ${found.length} violations`)
  await simulateAll({ first, last: first + seeds - 1 }, jobs, (result) => {
    sums.seeds += 1
    sums.turns += result.turns
    sums.events += result.events
    sums.simulatedMs += result.simulatedMs
    sightings.add(result.sightings)
    if (result.violation) found.push(result)
  })
  progress.end()
  const seconds = (performance.now() - startedMs) / 1_000
  const perSecond = sums.seeds / seconds
  const unseen = seeds >= enoughSeeds && found.length === 0 ? sightings.unseen : []
  process.stdout.write(
    `${sums.seeds} seeds in ${seconds.toFixed(0)} s (${perSecond.toFixed(1)} a second, ${jobs} jobs): ${sums.turns} turns, ` +
      `${sums.events} events, ${(sums.simulatedMs / 3_600_000).toFixed(1)} simulated hours\n`,
  )
  if (jsonFile !== undefined) {
    const violations = found.map(({ seed, violation }) => ({ seed, ...violation }))
    const seen = Object.fromEntries(everySight.map((sight) => [sight, sightings.counts.get(sight) ?? 0]))
    const figures = { first, ...sums, seconds, perSecond, jobs, violations, seen, unseen }
    mkdirSync(path.dirname(path.resolve(jsonFile)), { recursive: true })
    writeFileSync(jsonFile, `${JSON.stringify(figures, undefined, 2)}\n`)
  }
  const [worst] = found.sort((a, b) => a.seed - b.seed)
  if (worst) process.stdout.write(report(worst))
  if (unseen.length > 0) process.stdout.write(`never seen, so nothing was tried there:\n  ${unseen.join('\n  ')}\n`)
  return worst || unseen.length > 0 ? 1 : 0
}

const titleOf = ({ seed, violation }: Result): string =>
  `\nseed ${seed} breaks “${violation?.invariant}”\n  ${violation?.details}\n`

const report = (result: Result): string =>
  `\nthe last that happened:\n  ${result.lastLines.join('\n  ')}\n${titleOf(result)}again: npm run sim -- --seed ${result.seed} --trace\n`

/** One line that changes on a terminal, and one every ten seconds elsewhere. */
function startProgress(line: () => string): { end(): void } {
  const { isTTY } = process.stdout
  const show = (): void => void process.stdout.write(isTTY ? `\r${line()}` : `${line()}\n`)
  const timer = setInterval(show, isTTY ? 500 : 10_000)
  return {
    end() {
      clearInterval(timer)
      if (isTTY) process.stdout.write('\r\x1b[K')
    },
  }
}
