import postgres from 'postgres'
import type { Feed, Reads, Store } from '../engine/ports.ts'
import type { ReadModels } from '../engine/read-model-ports.ts'
import { dueAlarms } from './alarms.ts'
import { census } from './census.ts'
import { commit } from './commit.ts'
import { type ConnectionOptions, numbers } from './connection.ts'
import { Database } from './database.ts'
import { keepDeadLetter } from './dead-letters.ts'
import { databaseUnavailable, isTransient } from './errors.ts'
import { failingCalls, forgetFailure, noteFailure } from './failing-calls.ts'
import { heads, turnsAfter, turnsOf } from './feed.ts'
import { findTurns, readJournal } from './journal.ts'
import { claimKey } from './keys.ts'
import * as leases from './leases.ts'
import { ensurePartitions, migrate } from './migrate.ts'
import { readPauses } from './pauses.ts'
import { openReadModels } from './read-models.ts'
import { actor, health, lastIds, load } from './reads.ts'
import { noteLoss, noteStream, readStreams } from './streams.ts'

export type PostgresStore = Store & {
  /** For the ingress, on a connection of its own: no flood of queries keeps the engine from loading. */
  reads: Reads
  /** For the ingress too; on another connection, so that no request waits for a page of the journal. */
  feed: Feed
  /** For lists, on another: a long one does not hold up whoever waits for one answer. */
  readModels: ReadModels
  close(): Promise<void>
}

export type StoreOptions = Omit<ConnectionOptions, 'deadlineMs'> & { deadlineMs?: number }

/** A request is refused within 5 s, however long the lease lets the engine wait. */
const longestReadMs = 4_000

/**
 * Opens the store on a database that `prepareDatabase` has been at.
 *
 * @throws `database-unavailable`
 */
export async function openStore(options: StoreOptions): Promise<PostgresStore> {
  const { deadlineMs = longestReadMs, applicationName } = options
  const database = new Database({ ...options, deadlineMs })
  const ingress = new Database({
    ...options,
    applicationName: `${applicationName} ingress`,
    deadlineMs: Math.min(deadlineMs, longestReadMs),
  })
  const lists = new Database({
    ...options,
    applicationName: `${applicationName} lists`,
    deadlineMs: longestReadMs,
  })
  const close = async () => {
    await Promise.all([database.close(), ingress.close(), lists.close()])
  }
  await health(ingress).catch(async (error) => {
    await close()
    throw error
  })
  return {
    heartbeat: (worker, leaseMs, lag) => leases.heartbeat(database, worker, leaseMs, lag),
    claim: (worker, partitions, stream) => leases.claim(database, worker, partitions, stream),
    readStreams: () => readStreams(database),
    noteStream: (name, now, seen) => noteStream(database, name, now, seen),
    noteLoss: (seen, now, eventsKeptMs) => noteLoss(database, seen, now, eventsKeptMs),
    release: (partitions) => leases.release(database, partitions),
    leave: (worker) => leases.leave(database, worker),
    saveProgress: (partitions) => leases.saveProgress(database, partitions),
    readPartitions: (ids) => leases.readPartitions(database, ids),
    dueAlarms: (partitions, limit) => dueAlarms(database, partitions, limit),
    lastIds: (partitions, kinds) => lastIds(database, partitions, kinds),
    load: (addresses) => load(database, addresses),
    commit: (batch) => commit(database, batch),
    findTurns: (keys) => findTurns(database, keys),
    keepDeadLetter: (letter) => keepDeadLetter(database, letter),
    readPauses: () => readPauses(database),
    noteFailure: (failure) => noteFailure(database, failure),
    forgetFailure: (failure) => forgetFailure(database, failure),
    readJournal: (partition, after, limit) => readJournal(database, partition, after, limit),
    reads: {
      actor: (address) => actor(ingress, address),
      findTurns: (keys) => findTurns(ingress, keys),
      failingCalls: (address) => failingCalls(ingress, address),
      claimKey: (id, digest) => claimKey(ingress, id, digest),
      health: () => health(ingress),
      // Beside the lists: nobody waits for it.
      census: () => census(lists),
    },
    feed: {
      heads: () => heads(ingress),
      turnsAfter: (seen, limit) => turnsAfter(ingress, seen, limit),
      turnsOf: (seen, limit) => turnsOf(ingress, seen, limit),
    },
    readModels: openReadModels(lists),
    close,
  }
}

/**
 * Brings the schema up to date and makes the partitions of a new database.
 *
 * @returns the names of the migrations that were applied now
 * @throws `database-unavailable`, `migration-changed`, `partitions-mismatch`
 */
export async function prepareDatabase(url: string, partitions: number): Promise<string[]> {
  const sql = postgres(url, {
    max: 1,
    fetch_types: false,
    connect_timeout: 5,
    onnotice: () => {},
    types: numbers,
    connection: { application_name: 'turnstile migrate' },
  })
  try {
    const applied = await migrate(sql)
    await ensurePartitions(sql, partitions)
    return applied
  } catch (error) {
    throw isTransient(error) ? databaseUnavailable(error) : error
  } finally {
    await sql.end({ timeout: 1 })
  }
}
