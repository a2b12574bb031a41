/** What is checked, in the order of the report: the name of each check, what it looks at, and what must hold. */
export const checks = {
  partitions: {
    of: 'partitions',
    holds: 'What is told is decided: published is not past the head, and a cursor belongs to a stream.',
  },
  archive: { of: 'files', holds: 'A file of the archive is there, and is what was written.' },
  positions: { of: 'turns', holds: 'The journal of a partition has the positions 1 to its head, without a gap.' },
  homes: { of: 'actors', holds: 'An actor lives in the partition that its id falls to.' },
  versions: { of: 'turns', holds: "An actor's turns have the versions 1, 2, 3 and so on, without a gap." },
  messages: { of: 'turns', holds: 'An actor has taken no message twice.' },
  events: { of: 'events', holds: 'An event is what its schema asks for, and the actor can evolve by it.' },
  states: { of: 'actors', holds: "An actor's stored version and state are the fold of its events." },
  schemas: { of: 'actors', holds: 'A stored state is what its schema asks for.' },
  alarms: { of: 'actors', holds: 'The stored alarm is the one that the state asks for, unless that one had its turn.' },
  armed: { of: 'partitions', holds: 'A partition counts as many alarms as are set in it.' },
  overdue: {
    of: 'alarms',
    holds: 'What is past its deadline has ended: no alarm waits since longer than the grace time.',
  },
  sends: {
    of: 'sends',
    holds: 'What a turn sent was taken, is a dead letter, or is on its way for no longer than the grace time.',
  },
  calls: {
    of: 'calls',
    holds:
      'What a turn called for has its outcome, is a dead letter, or is under way for no longer than the grace time.',
  },
  projections: {
    of: 'rows',
    holds: "A row of a read model is the fold of its actor's events, up to where the read model stands.",
  },
  seats: {
    of: 'shows',
    holds:
      'What a show has reserved is what its bookings hold and what is on its way to or from them, and no more than it has.',
  },
  refunds: { of: 'tickets', holds: 'The money of a ticket goes back at most once, and by one way only.' },
  audit: {
    of: 'audit rows',
    holds: 'The audit log is one chain: no row is changed, missing or moved, and it ends where its head says.',
  },
} as const

export type CheckName = keyof typeof checks

export const checkNames = Object.keys(checks) as CheckName[]
