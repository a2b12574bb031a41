import { importsOf, type Source } from './source.ts'

/** What may not stand in some files, and what to write instead. */
type Ban = { what: RegExp; instead: string }

const pure = /^(actors|schemas|src\/actor)\//
const engine = /^src\/engine\//

/** A call or word of the language's global scope, not the method of something else. */
const global = (words: string): RegExp => new RegExp(`(?<![.\\w])(?:${words})`)

const timers = global('set(?:Timeout|Interval|Immediate)\\b')
const clocks = global('Date\\.now\\b|new Date\\(\\s*\\)|performance\\b')
const chance = global('Math\\.random\\b|randomUUID\\b|crypto\\.(?:randomUUID|getRandomValues)\\b')

const codeBans: (Ban & { where: RegExp })[] = [
  { where: pure, what: clocks, instead: 'take the time from the context (`at`)' },
  { where: pure, what: timers, instead: 'say it in the decision, as a timer' },
  { where: pure, what: chance, instead: 'make ids from the message id (`deriveId`)' },
  { where: pure, what: global('process\\.'), instead: 'take settings as arguments' },
  { where: pure, what: global('fetch\\('), instead: 'say it in the decision, as a call' },
  { where: engine, what: clocks, instead: 'use the Clock port' },
  { where: engine, what: timers, instead: 'use the Clock port (`sleep`)' },
  { where: engine, what: chance, instead: 'make ids from the message id (`deriveId`), or take them as an argument' },
  { where: engine, what: global('process\\.'), instead: 'take settings as arguments' },
  { where: engine, what: global('fetch\\('), instead: 'add a port' },
  {
    where: /^src\/store\//,
    what: /\.begin\(/,
    instead: 'write one statement: postgres.js may split a transaction over two connections',
  },
  {
    where: /^src\/(?!main\.ts)/,
    what: global('process\\.exit\\b'),
    instead: 'throw a TurnstileError: only src/main.ts ends the process',
  },
]

/** Packages and Node modules that reach out of the process. */
const outside =
  /^(node:)?(child_process|cluster|crypto|dgram|dns|fs|http|http2|https|inspector|net|os|process|readline|timers|tls|worker_threads)(\/|$)|^(postgres|pino|prom-client)$|^@(nats-io|opentelemetry)\//

const importBans: (Ban & { where: RegExp })[] = [
  { where: pure, what: outside, instead: 'a turn calls nothing: say what you want in the decision' },
  { where: engine, what: outside, instead: 'add a port in src/engine/ports.ts' },
  { where: /^src\//, what: /^fastify$/, instead: 'write a Route: Fastify is there for the yardsticks of ops/bench' },
]

/** Hashing is arithmetic. It makes the ids that a turn needs, in one file. */
const isHashing = (source: Source, from: string): boolean =>
  source.path === 'src/actor/ids.ts' &&
  from === 'node:crypto' &&
  /import \{ hash \} from 'node:crypto'/.test(source.code)

/** Everything in a file that is banned there, with what to write instead. */
export function bannedThings(source: Source): string[] {
  const code = withoutStrings(source.code)
  const words = codeBans
    .filter(({ where, what }) => where.test(source.path) && what.test(code))
    .map(({ what, instead }) => `${source.path} has ${what.exec(code)?.[0]}: ${instead}`)
  const imports = importsOf(source).flatMap(({ from }) =>
    importBans
      .filter(({ where, what }) => where.test(source.path) && what.test(from) && !isHashing(source, from))
      .map(({ instead }) => `${source.path} imports ${from}: ${instead}`),
  )
  return [...words, ...imports]
}

function withoutStrings(code: string): string {
  return code.replaceAll(/'(?:[^'\\\n]|\\.)*'/g, "''")
}
