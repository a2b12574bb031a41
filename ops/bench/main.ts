import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import type { Figures, Run } from './figures.ts'
import { renewDocs } from './pages/docs.ts'
import { report } from './report.ts'
import { type Bench, fullSize, quickSize, type Size } from './workload.ts'
import { standardNames, workloads } from './workloads/index.ts'

const names = workloads.flatMap(({ names }) => names)

const help = `npm run bench [-- workload … options]: what the daemon can do, and what it costs, beside what people would write by hand; on
servers of its own, with everything on this machine. Without a workload it runs all of them:

  uniform   bookings of 200 shows, 64 and 256 connections; ours, and both yardsticks
  hot       the same for one show
  open      bookings that arrive at 25, 50, 75 and 90 % of what it can do
  commands  commands of one turn, published on NATS by an outside client
  life      confirmed tickets, from the webhook to the end of all effects
  growth    bookings on empty tables and on full ones; the start on full ones
  workers   bookings with 1, 2 and 4 worker processes
  cells     bookings in one installation, and in two with a database each
  tracing   bookings with nothing traced, and with a tenth of the requests
  pools     not among them: the yardsticks with pools of several sizes

  --rounds N        runs of each kind, alternating; the medians are reported (${fullSize.rounds})
  --seconds N       measured time of each (${fullSize.seconds})
  --turns N         what the full tables hold (${fullSize.turns.toLocaleString('en')}),
  --actors N        and of how many actors (${fullSize.actors.toLocaleString('en')})
  --json FILE       writes every figure there
  --profile FOLDER  the daemons write CPU profiles there when they end, for flame graphs
  --quick           to see that it works, not how fast
  --draw FILE       measures nothing: makes the pictures and tables of docs/ from what --json has written
`

export async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      turns: { type: 'string' },
      actors: { type: 'string' },
      json: { type: 'string' },
      profile: { type: 'string' },
      draw: { type: 'string' },
      quick: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(help)
    return 0
  }
  if (values.draw !== undefined) {
    return draw(JSON.parse(readFileSync(values.draw, 'utf8')))
  }
  const unknown = positionals.filter((name) => !names.includes(name))
  if (unknown.length > 0) {
    process.stderr.write(`there is no workload ${unknown.join(', ')}: choose from ${names.join(', ')}\n`)
    return 1
  }
  const { rounds, seconds, turns, actors } = values
  const given = Object.entries({ rounds, seconds, turns, actors }).filter(([, value]) => value !== undefined)
  const size: Size = {
    ...(values.quick ? quickSize : fullSize),
    ...Object.fromEntries(given.map(([name, value]) => [name, Number(value)])),
  }
  const nodeArgs = values.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${path.resolve(values.profile)}`]
  const chosen = positionals.length > 0 ? positionals : standardNames
  const figures: Figures = { machine: machine(), measuredAt: new Date().toISOString(), isQuick: values.quick, runs: [] }
  const isComplete = await measure(chosen, { size, nodeArgs, progress }, (runs) => {
    figures.runs.push(...runs)
    if (values.json !== undefined) writeFigures(values.json, figures)
  })
  process.stdout.write(report(figures))
  return isComplete ? 0 : 1
}

function draw(figures: Figures): number {
  if (figures.isQuick) {
    process.stderr.write(
      'these figures are from a quick run, which only shows that it works: the docs stay as they are\n',
    )
    return 1
  }
  renewDocs(figures)
  return 0
}

/**
 * One that fails costs its own figures and no others.
 *
 * @param keep is told of each workload's runs as soon as they are there
 * @returns whether all went as it should
 */
async function measure(chosen: string[], bench: Bench, keep: (runs: Run[]) => void): Promise<boolean> {
  let isComplete = true
  for (const workload of workloads) {
    const own = chosen.filter((name) => workload.names.includes(name))
    if (own.length === 0) continue
    try {
      const runs = await workload.run(bench, own)
      keep(runs)
      isComplete &&= runs.every(({ perSecond, others }) => perSecond > 0 && Object.keys(others).length === 0)
    } catch (error) {
      isComplete = false
      process.stderr.write(`${own.join(', ')} failed: ${error instanceof Error ? error.stack : error}\n`)
    }
  }
  return isComplete
}

function writeFigures(file: string, figures: Figures): void {
  mkdirSync(path.dirname(path.resolve(file)), { recursive: true })
  writeFileSync(file, `${JSON.stringify(figures, undefined, 2)}\n`)
}

function machine(): string {
  const [cpu] = os.cpus()
  return `${os.cpus().length} × ${cpu?.model.trim()}, ${Math.round(os.totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}, ${os.type()}`
}

function progress(line: string): void {
  process.stderr.write(`· ${line}\n`)
}
