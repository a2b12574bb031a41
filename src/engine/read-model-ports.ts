import type { Tagged } from '../actor/actor.ts'
import type { ArchiveFile } from './archive-ports.ts'

/** What projections and their readers need of the store. Everything rejects with `database-unavailable` like the store. */

/** Names a row of a read model: what is known of one actor. */
export type RowKey = { partition: number; kind: string; id: string }
export type ReadRow = RowKey & { fields: object }

/** A turn as far as projections look at it. */
export type JournaledEvents = {
  partition: number
  position: number
  kind: string
  actorId: string
  /** The actor's how-many-eth turn. */
  version: number
  /** RFC 3339 in UTC. */
  at: string
  events: Tagged[]
}

/** A read model that has not taken all turns of a partition yet: it has those up to `position`, and there are `head`. */
export type Lag = { name: string; partition: number; position: number; head: number }

/** Turns of one partition: positions from `after + 1` to `upTo`. */
export type Stretch = { partition: number; after: number; upTo: number }

/** What becomes of one read model. */
export type Changes = {
  name: string
  /** Where it must stand now, and where it stands then. */
  moves: Stretch[]
  put: ReadRow[]
  gone: RowKey[]
}

/** What writes read models. A read model's name is also that of its table. */
export interface ProjectionStore {
  /** Where those of these read models stand that lag behind the journal. */
  lags(names: string[]): Promise<Lag[]>
  /** The turns of these kinds that have events, each partition's in order. */
  readEvents(stretches: Stretch[], kinds: string[]): Promise<JournaledEvents[]>
  /** The rows that exist among these. */
  loadRows(name: string, keys: RowKey[]): Promise<ReadRow[]>
  /**
   * Writes rows and positions in one statement.
   *
   * @returns whether all of them stood where they must; if not, nothing was written
   */
  write(changes: Changes[]): Promise<boolean>
}

/** The projector's: one process at a time leads, as long as its connection lives. */
export interface LiveProjections extends ProjectionStore {
  /** Whether this process leads, by now. */
  lead(): Promise<boolean>
  /** Notes that these read models begin with the first turn, where that is not known yet. */
  enroll(names: string[]): Promise<void>
  close(): Promise<void>
}

/** How far a read model has come in all partitions: it has so many turns, and lacks so many. */
export type Standing = { name: string; turns: number; lag: number }

/** A rebuild's: one at a time for each read model, as long as its connection lives. */
export interface RebuildStore extends ProjectionStore {
  /**
   * Makes an empty twin of the read model, by its name with `_rebuild` behind it.
   *
   * @returns false when somebody else rebuilds it, or archives
   */
  begin(name: string): Promise<boolean>
  /**
   * Puts the twin in the place of the read model.
   *
   * @returns false when the twin is behind it, or when a reader does not let go of it: then nothing has changed
   */
  swap(name: string): Promise<boolean>
  /** The files that have the turns which are in the journal no more. Until it is closed, no others come. */
  archiveFiles(): Promise<ArchiveFile[]>
  /** All that there are, and those that are being made anew. */
  standings(): Promise<Standing[]>
  close(): Promise<void>
}

/** Told of what the metrics count. */
export interface ProjectionObserver {
  /** How many turns the read model of this name lags behind the journal. */
  projectionLag(name: string, turns: number): void
}

/** Where a page begins: behind this row. */
export type Cursor = { partition: number; id: string }
export type Page = { after: Cursor | undefined; limit: number }

/** A part of an ops booking: the booking itself, or one of its tickets. */
export type OpsRow = { bookingId: string; kind: string; id: string; fields: object }

/** What the ingress needs of the read models. Rows come in the order of their keys. */
export interface ReadModels {
  tickets(page: Page): Promise<ReadRow[]>
  shows(page: Page): Promise<ReadRow[]>
  bookingsOf(showId: string, page: Page): Promise<ReadRow[]>
  /** All parts, if there are any. */
  opsBooking(bookingId: string): Promise<OpsRow[]>
  /**
   * All parts of the next bookings behind this id, in the order of their ids; also of such that are known by their tickets
   * alone.
   *
   * @param receiptDay only bookings with a ticket whose receipt is of this day, as `2026-12-01`
   */
  opsBookings(page: { after: string | undefined; limit: number; receiptDay: string | undefined }): Promise<OpsRow[]>
}
