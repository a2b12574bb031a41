import { openAccess } from '../access/access.ts'
import { defaultPartitions, readConfig } from '../config.ts'
import type {
  Answer,
  FailingCall,
  Feed,
  KnownTurn,
  Log,
  OutgoingCommand,
  Reads,
  Requests,
  StoredActor,
  TurnEvents,
} from '../engine/ports.ts'
import type { OpsRow, Page, ReadModels, ReadRow } from '../engine/read-model-ports.ts'
import { noTracer, type Tracer } from '../engine/trace-ports.ts'
import { createMetrics, type Metrics } from '../telemetry/metrics.ts'
import { createIngress, type Ingress } from './server.ts'

/** What is behind the ingress, small enough for its tests: the ports, each with a switch for what can go wrong. */
export type TestHouse = {
  /** Everything that was published. */
  sent: OutgoingCommand[]
  requests: Requests & { isConnected: boolean }
  reads: Reads
  readModels: ReadModels
  /** What every list shows, in the order of partition and id. */
  rows: ReadRow[]
  /** The parts of ops bookings, each booking's together. */
  opsRows: OpsRow[]
  /** Called before each read of a list. */
  onList: () => Promise<void>
  actors: Map<string, StoredActor>
  turns: KnownTurn[]
  lookUps: number
  /** What has happened, for those who listen: of each partition and actor in its order. */
  journal: TurnEvents[]
  /** What the archive has: of each partition up to where, and of every actor up to which version. */
  archived: { upTo: number[]; version: number }
  feed: Feed
  failingCalls: FailingCall[]
  /** The digests that hold the keys of batches. */
  keys: Map<string, string>
  lag: number
  workers: number
  /** What becomes of a command that is sent. The default answers it at once. */
  onSend: (command: OutgoingCommand) => Promise<{ duplicate: boolean }>
  answer(answer: Answer): void
  metrics: Metrics
  tracer: Tracer
  logged: { level: string; fields: Record<string, unknown>; message: string }[]
  log: Log
}

export function createHouse(): TestHouse {
  let deliver: (answer: Answer) => void = () => {}
  const logged: TestHouse['logged'] = []
  const write = (level: string) => (fields: object, message: string) => {
    logged.push({ level, fields: fields as Record<string, unknown>, message })
  }
  const house: TestHouse = {
    sent: [],
    rows: [],
    opsRows: [],
    onList: async () => {},
    actors: new Map(),
    turns: [],
    lookUps: 0,
    journal: [],
    archived: { upTo: Array(defaultPartitions).fill(0), version: 0 },
    failingCalls: [],
    keys: new Map(),
    lag: 0,
    workers: 1,
    async onSend(command) {
      setImmediate(() => house.answer({ requestId: command.messageId, ...fingerprintOf(command), ...okOf(command) }))
      return { duplicate: false }
    },
    answer: (answer) => deliver(answer),
    requests: {
      replyTo: 'reply.here',
      isConnected: true,
      async send(command) {
        house.sent.push(command)
        return house.onSend(command)
      },
      onAnswer(handler) {
        deliver = handler
      },
    },
    reads: {
      actor: async ({ kind, id }) => house.actors.get(`${kind}/${id}`),
      async findTurns(keys) {
        house.lookUps++
        return house.turns.filter((turn) => keys.some(({ messageId }) => messageId === turn.messageId))
      },
      failingCalls: async () => house.failingCalls,
      async claimKey(id, digest) {
        const holder = house.keys.get(id)
        house.keys.set(id, holder ?? digest)
        return { digest: holder ?? digest, isNew: holder === undefined }
      },
      health: async () => ({ lag: house.lag, workers: house.workers }),
      census: async () => ({ workers: house.workers, unowned: 0, openLetters: [], failingCalls: [] }),
    },
    feed: {
      async heads() {
        const heads = Array<number>(defaultPartitions).fill(0)
        for (const { partition, position } of house.journal) heads[partition] = position
        return heads
      },
      async turnsAfter(seen, limit) {
        return seen.flatMap(({ partition, after }) => {
          return house.journal.filter((turn) => turn.partition === partition && turn.position > after).slice(0, limit)
        })
      },
      async turnsOf(seen, limit) {
        return seen.flatMap(({ kind, id, after }) => {
          const own = house.journal.filter((turn) => turn.kind === kind && turn.actorId === id)
          return own.filter(({ version }) => version > after).slice(0, limit)
        })
      },
      archivedUpTo: async () => house.archived.upTo,
      archivedOf: async () => house.archived.version,
    },
    readModels: {
      tickets: (page) => listed(house, page),
      shows: (page) => listed(house, page),
      bookingsOf: (_, page) => listed(house, page),
      opsBooking: async (id) => house.opsRows.filter(({ bookingId }) => bookingId === id),
      async opsBookings({ after = '', limit }) {
        await house.onList()
        const ids = [...new Set(house.opsRows.map(({ bookingId }) => bookingId))].filter((id) => id > after)
        const shown = ids.slice(0, limit)
        return house.opsRows.filter(({ bookingId }) => shown.includes(bookingId))
      },
    },
    metrics: createMetrics(),
    tracer: noTracer,
    logged,
    log: { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') },
  }
  return house
}

async function listed({ rows, onList }: TestHouse, { after, limit }: Page): Promise<ReadRow[]> {
  await onList()
  const start = after ? rows.findIndex(({ id, partition }) => id === after.id && partition === after.partition) + 1 : 0
  return rows.slice(start, start + limit)
}

/** A listening ingress on a free port. */
export async function openIngress(
  house: TestHouse,
  settings: Record<string, string> = {},
  isOpen = true,
): Promise<Ingress> {
  const config = readConfig({ ...required, PORT: '0', ...settings })
  const { requests, reads, readModels, feed, metrics, tracer, log } = house
  const access = await openAccess(config, log)
  const ingress = createIngress({ config, isOpen, access, requests, reads, readModels, feed, metrics, tracer, log })
  await ingress.listen()
  return ingress
}

const required = { POSTGRES_URL: 'postgres://x', NATS_URL: 'nats://x', GATEWAY_ADDR: 'http://x' }

function okOf({ address: { kind, id } }: OutgoingCommand): Pick<Answer, 'reply'> {
  return { reply: { ok: { [`${kind}_id`]: id } } }
}

function fingerprintOf({ meta: { fingerprint } }: OutgoingCommand): Pick<Answer, 'fingerprint'> {
  return fingerprint === undefined ? {} : { fingerprint }
}
