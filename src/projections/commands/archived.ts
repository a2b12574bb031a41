import { livesOf } from '../../archive/lives.ts'
import type { Archive, ArchiveFile } from '../../engine/archive-ports.ts'
import type { TurnRecord } from '../../engine/ports.ts'
import type { JournaledEvents } from '../../engine/read-model-ports.ts'

/** What happened in the turns of these files, a partition after the other. Rejects with `archive-unreadable`. */
export async function* archivedEvents(archive: Archive, files: ArchiveFile[]): AsyncGenerator<JournaledEvents[]> {
  for (const partition of new Set(files.map((file) => file.partition))) {
    const own = files.filter((file) => file.partition === partition)
    for await (const turns of livesOf(nothing(), archive, own)) yield turns.flatMap(eventsOf)
  }
}

/** What is about to leave the journal is in both, and would be folded twice. */
async function* nothing(): AsyncGenerator<TurnRecord[]> {}

function eventsOf({ partition, position, kind, actorId, version, at, decision: { events } }: TurnRecord) {
  return events ? [{ partition, position, kind, actorId, version, at, events }] : []
}
