import { readFileSync } from 'node:fs'
import path from 'node:path'
import { partitionOf } from '../../src/actor/ids.ts'
import { partitions as partitionCount, World } from '../../src/engine/world.fixtures.ts'
import { chainStart } from '../../src/store/audit-chain.ts'
import type { WholeRecord } from '../../src/store/memory-inspection.ts'
import { projectFolder } from '../sandbox/folders.ts'
import { writeJournal } from './file.ts'
import { play, refusedShows } from './scenario.ts'
import { serve } from './services.ts'

/** Two workers, so that some sends join their commit and some go through the broker. The same build records the same. */
export async function record(): Promise<WholeRecord> {
  const world = new World()
  const workers = ['ada', 'bert'].map((name) => world.start(name))
  const nowMs = world.clock.monotonicMs()
  await serve(world.client, refusedShows, new Date(nowMs).toISOString())
  const isShared = () => workers.every(({ engine }) => engine.partitions.length === partitionCount / 2)
  await world.until('the workers share the partitions', isShared)
  await play(world)
  return readAll(world)
}

async function readAll({ store, clock }: World): Promise<WholeRecord> {
  const partitions = await store.readPartitions(Array.from({ length: partitionCount }, (_, index) => index))
  const journals = await Promise.all(partitions.map(({ id, head }) => store.readJournal(id, 0, head)))
  const turns = journals.flat()
  const addresses = new Map(turns.map(({ kind, actorId: id }) => [`${kind}.${id}`, { kind, id }]))
  const actors = await store.load(
    [...addresses.values()].map((address) => ({ ...address, partition: partitionOf(address.id, partitionCount) })),
  )
  const nowMs = clock.monotonicMs()
  return {
    partitions,
    turns,
    actors,
    letters: [],
    readModels: [],
    pauses: [],
    archive: { files: [], marks: [] },
    audit: { rows: [], head: chainStart },
    nowMs,
  }
}

/** @returns the process's exit code */
export async function main(): Promise<number> {
  const { version } = JSON.parse(readFileSync(path.join(projectFolder, 'package.json'), 'utf8'))
  const journal = await record()
  console.log(`test/journals/${writeJournal(journal, version)}: ${journal.turns.length} turns`)
  return 0
}
