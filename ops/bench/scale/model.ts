import { type Figures, medianOf, type Run } from '../figures.ts'

/** What one booking costs: CPU in µs, the rest in bytes and messages. */
export type Costs = {
  ingress: number
  workers: number
  postgres: number
  nats: number
  walBytes: number
  storedMessages: number
  storedBytes: number
}

/** What is assumed of the machines, because it cannot be measured on one with two cores. */
export const assumptions = {
  /** The part of a core that is planned with; the rest is for peaks, takeovers and uneven shares. */
  utilisation: 0.6,
  postgresCores: 16,
  /** What a volume of a large server takes of WAL for hours. */
  walBytesPerSecond: 300e6,
  natsCores: 8,
  /** Each message is stored by so many nodes. */
  replicas: 3,
  partitionsPerWorker: 4,
  /** Node runs an ingress and a worker on one thread each. */
  coresOfAPod: 1,
}

/** What a rate needs. A cell has a mailbox stream, a database and a range of shows of its own. */
export type Needs = {
  cells: number
  /** What makes one more cell necessary first. */
  bound: 'Postgres CPU' | 'WAL' | 'mailbox stream'
  ingressPods: number
  workerPods: number
  /** Of all cells. */
  partitions: number
  natsNodes: number
  postgresServers: number
  walMegabytesPerSecond: number
  storedMegabytesPerSecond: number
}

const parts = ['ingress', 'workers', 'postgres', 'nats'] as const

/** With so many workers, as it was measured. */
export function measuredCosts(figures: Figures, workers: number): Costs | undefined {
  const condition = `${workers} ${workers === 1 ? 'worker' : 'workers'}`
  const of = (value: (run: Run) => number | undefined): number =>
    medianOf(figures, { workload: 'workers', condition }, value) ?? 0
  if (!figures.runs.some((run) => run.workload === 'workers' && run.condition === condition)) return undefined
  const [ingress, own, postgres, nats] = parts.map((part) => of(({ cpuMicroseconds }) => cpuMicroseconds[part]))
  return {
    ingress: ingress ?? 0,
    workers: own ?? 0,
    postgres: postgres ?? 0,
    nats: nats ?? 0,
    walBytes: of((run) => run.walBytes),
    storedMessages: of((run) => run.storedMessages),
    storedBytes: of((run) => run.storedBytes),
  }
}

/**
 * With so many workers, by the model: a booking's turns on its own worker cost what they do with one worker, and the part
 * of them that goes through the broker, all but one in `workers`, costs more.
 *
 * @param one measured with one worker, `several` with `count` of them
 */
export function modelCosts(one: Costs, several: Costs, count: number, workers: number): Costs {
  const share = (1 - 1 / workers) / (1 - 1 / count)
  return mapCosts(one, (name) => one[name] + (several[name] - one[name]) * share)
}

function mapCosts(costs: Costs, value: (name: keyof Costs) => number): Costs {
  return Object.fromEntries(Object.keys(costs).map((name) => [name, value(name as keyof Costs)])) as Costs
}

/** What so many bookings a second need, each at these costs. */
export function needsOf(perSecond: number, costs: Costs, assumed = assumptions): Needs {
  const { utilisation, postgresCores, natsCores, replicas, partitionsPerWorker, coresOfAPod } = assumed
  const cores = (microseconds: number): number => (perSecond * microseconds) / 1e6 / utilisation
  const cellsFor = {
    'Postgres CPU': cores(costs.postgres) / postgresCores,
    WAL: (perSecond * costs.walBytes) / assumed.walBytesPerSecond,
    // A stream has one leader, which takes one message after the other.
    'mailbox stream': cores(costs.nats),
  }
  const [[bound, most]] = Object.entries(cellsFor).sort(([, a], [, b]) => b - a) as [[Needs['bound'], number]]
  const workerPods = Math.ceil(cores(costs.workers) / coresOfAPod)
  const cells = Math.ceil(most)
  return {
    cells,
    bound,
    ingressPods: Math.ceil(cores(costs.ingress) / coresOfAPod),
    workerPods,
    partitions: cells * Math.ceil((workerPods / cells) * partitionsPerWorker),
    natsNodes: Math.max(replicas, Math.ceil((cores(costs.nats) * replicas) / natsCores)),
    postgresServers: cells,
    walMegabytesPerSecond: (perSecond * costs.walBytes) / 1e6,
    storedMegabytesPerSecond: (perSecond * costs.storedBytes * replicas) / 1e6,
  }
}

/** Bookings a second of one show: its turns on one worker's thread, one after the other; all others on other workers. */
export function hotShowPerSecond(workerMicrosecondsATurn: number, assumed = assumptions): number {
  return (1e6 / workerMicrosecondsATurn) * assumed.utilisation
}
