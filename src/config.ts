import { z } from 'zod'
import { TurnstileError } from './errors.ts'

const url = (...protocols: string[]) =>
  z.string().refine(
    (value) => {
      return URL.canParse(value) && protocols.includes(new URL(value).protocol)
    },
    `must be a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
  )

const integer = (min: number, max: number) => z.coerce.number().int().min(min).max(max)

/** The settings and their defaults. The README's table lists them; a test keeps the two equal. */
const environment = z.object({
  /** Where the journal and the states live. */
  POSTGRES_URL: url('postgres:', 'postgresql:'),
  /** One server or several, separated by commas. */
  NATS_URL: z.string().min(1),
  /** The external services. */
  GATEWAY_ADDR: url('http:', 'https:'),
  PORT: integer(0, 65_535).default(8080),
  /** The address to listen on. The default is reachable from this machine only. */
  HOST: z.string().min(1).default('127.0.0.1'),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  /** First token of every subject and stream name, so that several installations can share a NATS account. */
  TURNSTILE_PREFIX: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,31}$/, 'must be lower-case letters, digits and dashes')
    .default('turnstile'),
  /** How many partitions the actors are spread over; fixed for the life of the data. */
  TURNSTILE_PARTITIONS: integer(1, 512).default(64),
  /** On how many servers of a NATS cluster each stream is kept. */
  TURNSTILE_STREAM_REPLICAS: z.coerce
    .number()
    .pipe(z.literal([1, 3, 5], 'must be 1, 3 or 5'))
    .default(1),
  /** How long a worker that says nothing keeps its partitions. */
  TURNSTILE_LEASE_MS: integer(1_000, 60_000).default(5_000),
  /** The most messages of one commit. */
  TURNSTILE_BATCH_MESSAGES: integer(1, 2_000).default(256),
  /** How many actors a worker keeps in memory, at 4 to 5 kB each. One that dropped out is read again with its next batch. */
  TURNSTILE_CACHED_ACTORS: integer(100, 10_000_000).default(10_000),
  /** How long a request waits for its answer before it gets 503. */
  TURNSTILE_REQUEST_TIMEOUT_MS: integer(100, 60_000).default(4_500),
  /** How long requests are still taken after SIGTERM, until load balancers have noticed. */
  TURNSTILE_DRAIN_MS: integer(0, 300_000).default(1_000),
  /** The most requests that may wait for their answer in one process; fewer while they wait for too long. The next gets 503. */
  TURNSTILE_MAX_PENDING_REQUESTS: integer(1, 100_000).default(1_000),
  /** How many messages may wait in all mailboxes before the ingress answers 503. */
  TURNSTILE_MAX_LAG: integer(1, 100_000_000).default(50_000),
  /** The most calls a second that one process makes to one external service. */
  TURNSTILE_CALLS_PER_SECOND: integer(1, 100_000).default(2_000),
  /** How long a booking waits for its tickets to be confirmed; then it fails. */
  BOOKING_DEADLINE_MS: integer(100, 7 * 86_400_000).default(900_000),
  /** How long a VIP bundle waits for each of its steps; then everything is undone. */
  BUNDLE_STEP_DEADLINE_MS: integer(100, 7 * 86_400_000).default(900_000),
  /** How many days public events are kept for their subscribers. */
  TURNSTILE_EVENT_DAYS: integer(1, 3_650).default(7),
  /** Where traces go, by OTLP over HTTP; without it there are none. The SDK appends `/v1/traces`. */
  OTEL_EXPORTER_OTLP_ENDPOINT: url('http:', 'https:').optional(),
  /** The same for traces alone, taken as it stands. */
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url('http:', 'https:').optional(),
})

export type Config = Readonly<z.infer<typeof environment>>

type Environment = Record<string, string | undefined>

/**
 * Reads the settings.
 *
 * @throws `config-invalid` that lists every fault, not just the first
 */
export const readConfig = (env: Environment): Config => read(environment, env)

/** What `migrate` needs: it is run where neither broker nor services can be reached. Throws like `readConfig`. */
export const readDatabaseConfig = (env: Environment) =>
  read(environment.pick({ POSTGRES_URL: true, TURNSTILE_PARTITIONS: true }), env)

/** The names of the settings, for the README's test. */
export const settingNames = Object.keys(environment.shape)

function read<Schema extends z.ZodObject>(schema: Schema, env: Environment): z.infer<Schema> {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))
  const parsed = schema.safeParse(given)
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.map(({ path, message }) => {
    const name = String(path[0])
    const value = given[name]
    if (value === undefined) return `  ${name} is not set`
    // A URL may hold a password, which does not belong in a log.
    return name.endsWith('_URL') ? `  ${name} ${message}` : `  ${name} ${message} (it is ${JSON.stringify(value)})`
  })
  throw new TurnstileError('config-invalid', `The settings cannot be used:\n${faults.join('\n')}`)
}
