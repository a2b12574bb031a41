import type { Commit, CommitResult, Reads, Store } from '../../src/engine/ports.ts'
import type { RedriveStore } from '../../src/engine/redrive-ports.ts'
import { withMethods } from './proxy.ts'
import type { Sight, Sightings } from './sightings.ts'
import type { Witness } from './witness.ts'

export type DatabaseStore = Store & Reads & RedriveStore

const sightOf: { [Outcome in CommitResult['outcome']]?: Sight } = {
  duplicate: 'duplicate in a batch',
  resumed: 'commit refused because its pause has ended',
}

/** The store with a witness beside it. It also refuses, for its data, any commit with a turn on `Poison`. */
export function watched(store: DatabaseStore, witness: Witness, sightings: Sightings): DatabaseStore {
  const commit = async (batch: Commit): Promise<CommitResult> => {
    if (batch.turns.some(({ message }) => message.type === 'Poison')) {
      return { outcome: 'rejected', error: new Error('poison') }
    }
    const result = await store.commit(batch)
    const sight = sightOf[result.outcome]
    if (sight) sightings.note(sight)
    if (result.outcome === 'committed') witness.committed(batch)
    if (result.outcome === 'fenced' && witness.isZombie(batch)) sightings.note('commit of a zombie fenced')
    return result
  }
  return withMethods(store, {
    commit,
    claim: async (worker, partitions, stream) => {
      const rows = await store.claim(worker, partitions, stream)
      witness.claimed(worker, rows)
      if (rows.some(({ cursor, head }) => cursor === 0 && head > 0)) sightings.note('partition read in another stream')
      return rows
    },
    keepDeadLetter: async (letter) => {
      await store.keepDeadLetter(letter)
      witness.setAside(letter)
    },
    readJournal: async (partition, after, limit) => {
      sightings.note('told again by a new owner')
      return store.readJournal(partition, after, limit)
    },
    load: async (addresses) => {
      const actors = await store.load(addresses)
      if (actors.length > 0) sightings.note('actor read from the store')
      return actors
    },
  })
}
