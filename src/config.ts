import { z } from 'zod'
import { parseWebhookSecrets } from './access/webhook-signature.ts'
import { withFiles } from './config-files.ts'
import { TurnstileError } from './errors.ts'

const url = (...protocols: string[]) =>
  z.string().refine(
    (value) => {
      return URL.canParse(value) && protocols.includes(new URL(value).protocol)
    },
    `must be a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
  )

/** The fewer, the less nats-server has to look through for each; a few for each worker keep the shares even. */
export const defaultPartitions = 16

const integer = (min: number, max: number) => z.coerce.number().int().min(min).max(max)

/** Of keys that are public: a token signed by a shared secret could be made by whoever can check it. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const

const algorithmList = z
  .string()
  .transform((text) => text.split(','))
  .pipe(z.array(z.enum(algorithms)))

const webhookSecrets = z
  .string()
  .transform(parseWebhookSecrets)
  .pipe(z.array(z.instanceof(Buffer, { error: 'must be secrets like whsec_ and the base64 of 24 to 64 bytes' })).min(1))

/** `1000/60` is a thousand requests a minute. */
const rate = z
  .string()
  .regex(/^[1-9]\d{0,6}\/[1-9]\d{0,4}$/, 'must be requests/seconds, as in 1000/60')
  .transform((text) => {
    const [requests = 0, seconds = 0] = text.split('/').map(Number)
    return { requests, seconds }
  })

const pem = z.string().startsWith('-----BEGIN ', { error: 'must be PEM' })

/** The settings and their defaults. The README's table lists them; a test keeps the two equal. */
const environment = z.object({
  /** Where the journal and the states live. */
  POSTGRES_URL: url('postgres:', 'postgresql:'),
  /** One server or several, separated by commas. */
  NATS_URL: z.string().min(1),
  /** In place of a user in NATS_URL: what `nsc` writes for a user, its token and key. */
  NATS_CREDS: z.string().includes('BEGIN NATS USER JWT', { error: 'must be what nsc writes for a user' }).optional(),
  /** In place of a user in NATS_URL: the seed of its key. */
  NATS_NKEY: z
    .string()
    .regex(/^SU[A-Z2-7]{56}$/, 'must be the seed of a user, which begins with SU')
    .optional(),
  /** By whom the server's certificate must be signed, in place of those whom Node trusts. PEM. */
  NATS_CA: pem.optional(),
  /** Our own certificate, where the server asks for one, and its key. PEM. */
  NATS_CERT: pem.optional(),
  NATS_KEY: pem.optional(),
  /** The external services. */
  GATEWAY_ADDR: url('http:', 'https:'),
  PORT: integer(0, 65_535).default(8080),
  /** The address to listen on. The default is reachable from this machine only. */
  HOST: z.string().min(1).default('127.0.0.1'),
  /** Where operators find their routes, apart from all others; they are on PORT unless it is set. */
  OPERATOR_PORT: integer(0, 65_535).optional(),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  /** First token of every subject and stream name, so that several installations can share a NATS account. */
  TURNSTILE_PREFIX: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,31}$/, 'must be lower-case letters, digits and dashes')
    .default('turnstile'),
  /** How many partitions the actors are spread over; fixed for the life of the data. */
  TURNSTILE_PARTITIONS: integer(1, 512).default(defaultPartitions),
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
  /** `none`: nobody who asks has to say who it is, wherever it asks from. */
  TURNSTILE_AUTH: z.enum(['none']).optional(),
  /** The digests of the API keys, a line each. */
  TURNSTILE_API_KEYS_FILE: z.string().optional(),
  /** Whose tokens are believed. */
  TURNSTILE_JWT_ISSUER: z.string().max(200).optional(),
  /** Whom tokens must be meant for. */
  TURNSTILE_JWT_AUDIENCE: z.string().optional(),
  /** Where the issuer publishes its keys. */
  TURNSTILE_JWT_JWKS_URL: url('https:', 'http:').optional(),
  TURNSTILE_JWT_ALGORITHMS: algorithmList.prefault('RS256,PS256,ES256,EdDSA'),
  /** By how many seconds the issuer's clock and ours may differ. */
  TURNSTILE_JWT_CLOCK_TOLERANCE_S: integer(0, 300).default(30),
  /** Where a token has the roles of its bearer. */
  TURNSTILE_JWT_ROLES_CLAIM: z.string().default('roles'),
  /** Dead Nation signs its webhooks by one of these. */
  TURNSTILE_WEBHOOK_SECRETS: webhookSecrets.optional(),
  /** The most requests of one caller, in so many seconds. */
  TURNSTILE_RATE_LIMIT: rate.optional(),
  /** The most MiB that they may take on the broker's disk; then the oldest go earlier. 0 leaves it to the days. */
  TURNSTILE_EVENT_MIB: integer(0, 100_000_000).default(0),
  /** For how many days, at least, a message or an Idempotency-Key that comes again is known. */
  TURNSTILE_REPEAT_DAYS: integer(1, 3_650).default(7),
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

const ofDatabase = {
  POSTGRES_URL: true,
  TURNSTILE_PARTITIONS: true,
  TURNSTILE_EVENT_DAYS: true,
  TURNSTILE_REPEAT_DAYS: true,
} as const

/** What commands need that work with the database alone, where nothing else can be reached. Throws like `readConfig`. */
export const readDatabaseConfig = (env: Environment) => read(environment.pick(ofDatabase), env)

/** The names of the settings, for the README's test. */
export const settingNames = Object.keys(environment.shape)

/** What may come by file, by the same name and `_FILE`: secrets, so that they need not stand in the environment. */
const fileSettings = [
  'POSTGRES_URL',
  'NATS_URL',
  'NATS_CREDS',
  'NATS_NKEY',
  'NATS_CA',
  'NATS_CERT',
  'NATS_KEY',
  'TURNSTILE_WEBHOOK_SECRETS',
] as const

function read<Schema extends z.ZodObject>(schema: Schema, env: Environment): z.infer<Schema> {
  const { given, faults } = withFiles(
    env,
    fileSettings.filter((name) => name in schema.shape),
  )
  const parsed = schema.safeParse(given)
  if ('TURNSTILE_AUTH' in schema.shape) faults.push(...contradictions(given))
  if (parsed.success && faults.length === 0) return parsed.data
  for (const { path, message } of parsed.error?.issues ?? []) faults.push(faultOf(String(path[0]), message, given))
  throw new TurnstileError('config-invalid', `The settings cannot be used:\n${[...new Set(faults)].join('\n')}`)
}

function faultOf(name: string, message: string, given: Environment): string {
  const value = given[name]
  if (value === undefined) return `  ${name} is not set`
  // It may be a secret, or a URL that holds one, which does not belong in a log.
  const isSecret = fileSettings.some((secret) => secret === name)
  return isSecret ? `  ${name} ${message}` : `  ${name} ${message} (it is ${JSON.stringify(value)})`
}

/** What each setting does not know of the others. */
function contradictions(given: Environment): string[] {
  const tokenSettings = ['TURNSTILE_JWT_ISSUER', 'TURNSTILE_JWT_AUDIENCE', 'TURNSTILE_JWT_JWKS_URL']
  const missing = tokenSettings.filter((name) => given[name] === undefined)
  const faults =
    missing.length === 3 ? [] : missing.map((name) => `  ${name} is not set, but others of TURNSTILE_JWT are`)
  if (given.NATS_CREDS !== undefined && given.NATS_NKEY !== undefined)
    faults.push('  NATS_CREDS and NATS_NKEY are both set: set one of them')
  if ((given.NATS_CERT === undefined) !== (given.NATS_KEY === undefined))
    faults.push('  NATS_CERT and NATS_KEY belong together: set both, or neither')
  const asks = missing.length < 3 || given.TURNSTILE_API_KEYS_FILE !== undefined
  if (asks && given.TURNSTILE_AUTH === 'none') faults.push('  TURNSTILE_AUTH is none, but keys or tokens are asked for')
  return faults
}
