import { type Import, importsOf, isForTests, type Source } from './source.ts'

/** What the files of a room may import of the project, beside each other. A room is a folder or a file. */
type Room = { room: string; may: string[]; mayTypesOf?: string[] }

const ports = 'src/engine/ports.ts'
const crashPoints = 'src/crash-points.ts'
const adapter = {
  may: [
    ports,
    'src/engine/read-model-ports.ts',
    'src/engine/redrive-ports.ts',
    'src/engine/archive-ports.ts',
    'src/engine/trace-ports.ts',
    'src/actor/',
    'schemas/',
    'src/telemetry/',
    'src/errors.ts',
  ],
  mayTypesOf: ['src/config.ts'],
}

const readers = [...adapter.may, 'actors/', 'src/engine/', 'src/store/', 'src/commands/', 'src/config.ts']

/** The first room that a file lies in counts. */
const rooms: Room[] = [
  { room: 'actors/', may: ['schemas/'], mayTypesOf: ['src/actor/'] },
  { room: 'schemas/', may: [] },
  { room: 'src/actor/', may: ['schemas/'] },
  { room: 'src/engine/', may: ['src/actor/', 'schemas/', 'src/errors.ts', crashPoints] },
  { room: 'src/broker/', ...adapter },
  { room: 'src/store/', ...adapter },
  { room: 'src/effects/', ...adapter, may: [...adapter.may, crashPoints] },
  {
    room: 'src/projections/commands/',
    may: [...adapter.may, 'src/projections/', 'src/archive/', 'src/store/', 'src/commands/', 'src/config.ts'],
  },
  // Old events are upcast by the actors whose they are.
  { room: 'src/projections/', ...adapter, may: [...adapter.may, 'actors/'] },
  { room: 'src/access/', ...adapter },
  { room: 'src/ingress/', ...adapter, may: [...adapter.may, 'src/access/'] },
  { room: 'src/telemetry/', ...adapter },
  // A command line of its own puts the record and the broker together.
  { room: 'src/commands/', may: [...adapter.may, 'src/store/', 'src/broker/', 'src/config.ts'] },
  { room: 'src/dead-letters/', may: [...adapter.may, 'src/commands/', 'src/store/', 'src/config.ts'] },
  { room: 'src/keys/', may: ['src/access/', 'src/commands/', 'src/errors.ts'] },
  { room: 'src/audit/', may: [...adapter.may, 'src/store/', 'src/commands/', 'src/config.ts'] },
  {
    room: 'src/erase/',
    may: [
      ...adapter.may,
      'src/archive/',
      'src/store/',
      'src/broker/',
      'src/projections/index.ts',
      'src/commands/',
      'src/config.ts',
      'src/clock.ts',
    ],
  },
  { room: 'src/pauses/', may: [...adapter.may, 'src/store/', 'src/commands/', 'src/dead-letters/', 'src/config.ts'] },
  // They hold the record against the rules: whoever looks at a journal folds it by the actors themselves.
  { room: 'src/verify/', may: [...readers, 'src/archive/', 'src/projections/'] },
  { room: 'src/journal/', may: [...readers, 'src/archive/', 'src/verify/events.ts'] },
  { room: 'src/archive/', may: [...readers, crashPoints] },
  {
    room: 'src/redrive/',
    may: [
      ...adapter.may,
      'src/engine/redrive.ts',
      'src/store/',
      'src/broker/',
      'src/commands/',
      'src/dead-letters/',
      'src/config.ts',
    ],
  },
  { room: 'src/errors.ts', may: [] },
  { room: crashPoints, may: [] },
  // What stands in src itself puts the rooms together, and so does the daemon.
  { room: 'src/', may: ['src/', 'actors/', 'schemas/'] },
]

const lies = (file: string, room: string): boolean => (room.endsWith('/') ? file.startsWith(room) : file === room)

/** Every import that points the wrong way, with what to do instead. */
export function wrongDirections(source: Source): string[] {
  const room = rooms.find(({ room }) => lies(source.path, room))
  if (room === undefined) return [`${source.path} lies in no room: name it in test/tidy/directions.ts`]
  return importsOf(source)
    .filter(({ from }) => /^(actors|bin|ops|schemas|src|test)\//.test(from))
    .filter((imported) => !isAllowed(room, imported))
    .map(({ from }) => `${source.path} imports ${from}: ${advice(room)}`)
}

function isAllowed({ room, may, mayTypesOf = [] }: Room, { from, isTypeOnly }: Import): boolean {
  const allowed = [room, ...may, ...(isTypeOnly ? mayTypesOf : [])]
  return !isForTests(from) && allowed.some((target) => lies(from, target))
}

function advice({ room, may, mayTypesOf = [] }: Room): string {
  const targets = [...may, ...mayTypesOf.map((target) => `${target} (import type)`)]
  const reach = targets.length > 0 ? `may import only ${targets.join(', ')}` : 'may import nothing of the project'
  const port = may.includes(ports) ? `; what another room does for it is a port in ${ports}` : ''
  return `${room} ${reach}${port}`
}
