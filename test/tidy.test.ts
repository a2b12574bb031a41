import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bannedThings } from './tidy/bans.ts'
import { wrongDirections } from './tidy/directions.ts'
import { shippedSources, source } from './tidy/source.ts'

const sources = shippedSources()

test('imports point one way', () => {
  assert.ok(sources.length > 0)
  assert.deepEqual(sources.flatMap(wrongDirections), [])
})

test('nothing reaches for what it must not know', () => {
  assert.deepEqual(sources.flatMap(bannedThings), [])
})

/** Planted faults: each must be found, by a message that has this in it. */
const wrongImports: [file: string, code: string, message: RegExp][] = [
  ['actors/show.ts', "import { Store } from '../src/store/commit.ts'", /actors\/ may import only schemas\//],
  ['actors/show.ts', "import { takeTurn } from '../src/actor/turn.ts'", /import type/],
  ['actors/show.ts', "export * from '../src/engine/engine.ts'", /src\/engine\/engine\.ts/],
  ['schemas/show.ts', "import type { Actor } from '../src/actor/actor.ts'", /nothing of the project/],
  ['src/actor/turn.ts', "import { Engine } from '../engine/engine.ts'", /src\/actor\//],
  ['src/engine/engine.ts', "import {\n  commit,\n} from '../store/commit.ts'", /src\/engine\//],
  ['src/engine/engine.ts', "const x = await import('../broker/nats.ts')", /src\/broker\/nats\.ts/],
  ['src/store/load.ts', "import { publish } from '../broker/publisher.ts'", /a port in src\/engine\/ports\.ts/],
  ['src/ingress/routes/shows.ts', "import { Engine } from '../../engine/engine.ts'", /src\/ingress\//],
  ['src/ingress/server.ts', "import { readConfig } from '../config.ts'", /import type/],
  ['src/store/load.ts', "import { aTurn } from './store.fixtures.ts'", /src\/store\/store\.fixtures\.ts/],
  ['src/main.ts', "import { startNats } from '../ops/sandbox/nats.ts'", /ops\/sandbox\/nats\.ts/],
]

const rightImports: [file: string, code: string][] = [
  [
    'actors/show.ts',
    "import type { Actor } from '../src/actor/actor.ts'\nimport { showEvents } from '../schemas/show.ts'",
  ],
  ['src/store/load.ts', "import type { Store } from '../engine/ports.ts'\nimport postgres from 'postgres'"],
  ['src/main.ts', "import { actors } from '../actors/index.ts'"],
]

const bannedCode: [file: string, code: string, message: RegExp][] = [
  ['actors/show.ts', 'const now = Date.now()', /context/],
  ['actors/show.ts', 'const now = new Date()', /context/],
  ['schemas/show.ts', 'const n = Math.random()', /deriveId/],
  ['src/actor/turn.ts', 'setTimeout(wake, 10)', /timer/],
  ['actors/ticket.ts', 'const id = crypto.randomUUID()', /deriveId/],
  ['actors/ticket.ts', 'if (process.env.X) {}', /arguments/],
  ['actors/ticket.ts', 'await fetch(url)', /as a call/],
  ['actors/ticket.ts', "import fs from 'node:fs'", /calls nothing/],
  ['actors/ticket.ts', "import { hash } from 'node:crypto'", /calls nothing/],
  ['src/actor/ids.ts', "import { hash, randomUUID } from 'node:crypto'", /calls nothing/],
  ['src/engine/engine.ts', 'const at = Date.now()', /Clock port/],
  ['src/engine/engine.ts', "import { setTimeout } from 'node:timers/promises'", /add a port/],
  ['src/engine/engine.ts', "import { connect } from '@nats-io/transport-node'", /add a port/],
  ['src/engine/engine.ts', "import postgres from 'postgres'", /add a port/],
  ['src/engine/decide.ts', "import { trace } from '@opentelemetry/api'", /add a port/],
  ['src/store/commit.ts', 'await sql.begin(async (sql) => {})', /one statement/],
  ['src/ingress/server.ts', 'process.exit(1)', /TurnstileError/],
  ['src/ingress/server.ts', "import Fastify from 'fastify'", /yardsticks/],
]

const allowedCode: [file: string, code: string][] = [
  ['actors/show.ts', "// Date.now() is banned here\nconst date = new Date(context.at)\nconst text = 'Math.random'"],
  ['src/actor/ids.ts', "import { hash } from 'node:crypto'"],
  ['src/engine/engine.ts', 'await this.clock.setTimeout(5); store.fetch(1)'],
  ['src/main.ts', 'process.exit(1)'],
]

test('the rules find planted faults', () => {
  for (const [file, code, message] of wrongImports) {
    assert.match(wrongDirections(source(file, code)).join(), message, `${file}: ${code}`)
  }
  for (const [file, code, message] of bannedCode) {
    assert.match(bannedThings(source(file, code)).join(), message, `${file}: ${code}`)
  }
})

test('the rules let pass what is right', () => {
  for (const [file, code] of rightImports) assert.deepEqual(wrongDirections(source(file, code)), [])
  for (const [file, code] of allowedCode) assert.deepEqual(bannedThings(source(file, code)), [])
})
