import { deriveId } from '../../src/actor/ids.ts'
import { spreadsheets } from '../../src/effects/spreadsheets.ts'
import { ActorCache } from '../../src/engine/cache.ts'
import { Outbox } from '../../src/engine/outbox.ts'
import { OwnedPartition } from '../../src/engine/partition.ts'
import type { Clock, Commit, CommitPosition, CommitResult, Mailboxes, Outgoing } from '../../src/engine/ports.ts'
import { Signal } from '../../src/engine/signal.ts'
import { noTracer } from '../../src/engine/trace-ports.ts'
import { bundleBugs } from './bundle-bugs.ts'
import { replace } from './plant.ts'
import { withMethods } from './proxy.ts'
import { readModelBugs } from './read-model-bugs.ts'
import type { Bug } from './simulation.ts'
import type { DatabaseStore } from './watched.ts'

/**
 * What such a daemon can get wrong, planted one at a time between the shipped code and its ports, or into the shipped code
 * for the length of a run. Each must be found.
 */
export const plantedBugs = {
  'acknowledges before the commit': {
    ports: (ports) => ({ ...ports, mailboxes: purgingWhatIsTaken(ports.mailboxes) }),
  },
  'reads from one too far': {
    ports: (ports) => ({
      ...ports,
      mailboxes: withMethods(ports.mailboxes, {
        open: (partition, epoch, cursor, events) => ports.mailboxes.open(partition, epoch, cursor + 1, events),
      }),
    }),
  },
  'no fence': {
    store: (store) => committing(store, async (batch) => withRows(store, batch, ({ epoch }) => ({ epoch }))),
  },
  'no dedupe': { store: (store) => committing(store, (batch) => renamed(store, batch)) },
  'a commit demands no cursor': {
    store: (store) => committing(store, (batch) => withRows(store, batch, ({ cursor }) => ({ from: cursor }))),
  },
  'a claim does not raise the epoch': { store: withoutEpochs },
  'the alarm is not in the commit': {
    store: (store) =>
      committing(store, async (batch) => ({ ...batch, states: batch.states.map(({ wake: _, ...state }) => state) })),
  },
  'publishes before the commit': {
    ports: (ports) => {
      const outbox = new Outbox(
        { ...ports, atOnce: { take: () => undefined }, clock: noClock, tracer: noTracer },
        new Signal(),
      )
      return { ...ports, store: before(ports.store, ({ turns }) => outbox.tell(turns, [])) }
    },
  },
  'answers before the commit': {
    ports: ({ publisher, ...ports }) => {
      const store = before(ports.store, ({ turns }) => {
        for (const { meta, messageId, decision } of turns) {
          if (!meta.replyTo || !decision.reply) continue
          publisher.reply(meta.replyTo, { requestId: meta.requestId ?? messageId, reply: decision.reply })
        }
      })
      return { ...ports, publisher, store }
    },
  },
  'does not wait until the broker has stored it': {
    ports: (ports) => ({
      ...ports,
      publisher: withMethods(ports.publisher, {
        publish: async (messages) => void ports.publisher.publish(messages).catch(() => undefined),
      }),
    }),
  },
  'forgets what lies past published': { patch: () => replace(Outbox.prototype, 'tellAgain', () => {}) },
  'keeps in the cache what a failed commit left there': {
    patch: () => replace(ActorCache.prototype, 'drop', () => {}),
  },
  'goes on from where a failed commit would have ended': {
    patch: () => replace(OwnedPartition.prototype, 'rollBack', () => {}),
  },
  'takes an unknown commit for failed': {
    ports: (ports) => ({ ...ports, store: judging(ports.store, { outcome: 'fenced', partitions: [] }) }),
  },
  'takes an unknown commit for committed': {
    ports: (ports) => ({ ...ports, store: judging(ports.store, { outcome: 'committed' }) }),
  },
  'a commit does not hold its pauses': {
    store: (store) => committing(store, async (batch) => ({ ...batch, pauses: [] })),
  },
  'a redrive takes everything for taken': {
    store: (store) =>
      withMethods(store, { findTakers: async (keys) => keys.map((key) => ({ ...key, by: 'turn' as const })) }),
  },
  'a loss of a stream orders no redrive': {
    store: (store) => withMethods(store, { noteLoss: async () => false }),
  },
  'an outcome has another id each time': {
    ports: (ports) => {
      let outcomes = 0
      const rename = (message: Outgoing): Outgoing => {
        const isOutcome = message.messageId === deriveId(message.meta.causationId ?? '', 'outcome')
        return isOutcome ? { ...message, messageId: deriveId(message.messageId, outcomes++) } : message
      }
      const publish = (messages: Outgoing[]): Promise<void> => ports.publisher.publish(messages.map(rename))
      return { ...ports, publisher: withMethods(ports.publisher, { publish }) }
    },
  },
  'an effect is done before its outcome is told': {
    ports: (ports) => ({
      ...ports,
      effects: {
        ...ports.effects,
        consume: (service, concurrency, handle) =>
          ports.effects.consume(service, concurrency, async (effect) => {
            await effect.done()
            await handle({ ...effect, done: async () => {}, retry: () => {} })
          }),
      },
    }),
  },
  'a row is appended without looking whether it is there': {
    patch: () => replace(spreadsheets.calls.AppendRow, 'readBack', undefined as never),
  },
  ...bundleBugs,
  ...readModelBugs,
} satisfies Record<string, Bug>

export type PlantedBug = keyof typeof plantedBugs

const noClock: Clock = { monotonicMs: () => 0, sleep: async () => {} }

function purgingWhatIsTaken(mailboxes: Mailboxes): Mailboxes {
  return withMethods(mailboxes, {
    async open(partition, ...place) {
      const mailbox = await mailboxes.open(partition, ...place)
      return withMethods(mailbox, {
        take(max) {
          const deliveries = mailbox.take(max)
          const last = deliveries.at(-1)
          if (last) mailboxes.purge(last.sequence + 1).catch(() => undefined)
          return deliveries
        },
      })
    },
  })
}

/** The database commits something else than it was asked. */
function committing(store: DatabaseStore, change: (batch: Commit) => Promise<Commit>): DatabaseStore {
  return withMethods(store, { commit: async (batch) => store.commit(await change(batch)) })
}

function before(store: DatabaseStore, action: (batch: Commit) => void): DatabaseStore {
  return withMethods(store, {
    commit(batch) {
      action(batch)
      return store.commit(batch)
    },
  })
}

function judging(store: DatabaseStore, verdict: CommitResult): DatabaseStore {
  return withMethods(store, {
    async commit(batch) {
      const result = await store.commit(batch)
      return result.outcome === 'unknown' ? verdict : result
    },
  })
}

type Change = (row: { epoch: number; cursor: number }) => Partial<CommitPosition>

async function withRows(store: DatabaseStore, batch: Commit, change: Change): Promise<Commit> {
  const rows = new Map((await store.readPartitions(batch.partitions.map(({ id }) => id))).map((row) => [row.id, row]))
  const partitions = batch.partitions.map((position) => {
    const row = rows.get(position.id)
    return row ? { ...position, ...change(row) } : position
  })
  return { ...batch, partitions }
}

/** Whatever came before is written again, under another id. */
async function renamed(store: DatabaseStore, batch: Commit): Promise<Commit> {
  const keys = batch.turns.map(({ kind, actorId: id, partition, messageId }) => ({ kind, id, partition, messageId }))
  const known = new Set((await store.findTurns(keys)).map(({ messageId }) => messageId))
  const turns = batch.turns.map((turn) => {
    return known.has(turn.messageId) ? { ...turn, messageId: deriveId(turn.messageId, turn.version) } : turn
  })
  return { ...batch, turns }
}

/** All see the same epoch for ever. */
function withoutEpochs(store: DatabaseStore): DatabaseStore {
  const shown = <Row extends { epoch: number }>(rows: Row[]): Row[] => rows.map((row) => ({ ...row, epoch: 1 }))
  return withMethods(store, {
    claim: async (...args) => shown(await store.claim(...args)),
    readPartitions: async (ids) => shown(await store.readPartitions(ids)),
    heartbeat: async (...args) => {
      const cluster = await store.heartbeat(...args)
      return { ...cluster, partitions: shown(cluster.partitions) }
    },
    commit: async (batch) => store.commit(await withRows(store, batch, ({ epoch }) => ({ epoch }))),
  })
}
