import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type ApiKey, makeKey, printKeys } from '../access/api-keys.ts'
import { type CallerRole, callerRoles } from '../access/roles.ts'
import { audience, issuer, startIssuer } from '../access/tokens.fixtures.ts'
import { sign } from '../access/webhook-signature.ts'
import { createHouse, openIngress, type TestHouse } from './house.fixtures.ts'
import { fillPath, type Route } from './route.ts'
import { portsOf, routes } from './routes/index.ts'
import type { Ingress } from './server.ts'

const folder = mkdtempSync(path.join(process.env.TEST_FOLDER ?? tmpdir(), 'guard-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const keyFile = path.join(folder, 'keys')

const lines: ApiKey[] = []
function newKey(name: string, roles: CallerRole[], expires_at?: string): string {
  const { key, sha256 } = makeKey(name)
  lines.push({ name, roles, sha256, ...(expires_at !== undefined && { expires_at }) })
  return key
}
const keyOf = Object.fromEntries(callerRoles.map((role) => [role, newKey(role, [role])])) as Record<CallerRole, string>
const expired = newKey('old', [...callerRoles], '2026-01-01T00:00:00Z')
writeFileSync(keyFile, printKeys(lines))
const withKeys = { TURNSTILE_API_KEYS_FILE: keyFile }

const id = '019389c2-4c00-7d2e-9a51-6f1b0c7a8e44'
const ids = { show_id: id, booking_id: id, ticket_id: id, vip_bundle_id: id, code: 'sold-out' }
const bearer = (key: string) => ({ Authorization: `Bearer ${key}` })

function request(url: string, route: Pick<Route, 'method' | 'path'>, headers: Record<string, string> = {}) {
  const signal = AbortSignal.timeout(10_000)
  return fetch(`${url}${fillPath(route.path, ids)}`, { method: route.method, headers, signal })
}

async function statusOf(...args: Parameters<typeof request>): Promise<number> {
  const response = await request(...args)
  await response.body?.cancel()
  return response.status
}

async function problemOf(response: Response): Promise<[number, string, string | null]> {
  const { type, detail } = (await response.json()) as { type: string; detail: string }
  return [response.status, `${path.basename(type)}: ${detail}`, response.headers.get('WWW-Authenticate')]
}

async function opened(settings: Record<string, string>, work: (ingress: Ingress, house: TestHouse) => Promise<void>) {
  const house = createHouse()
  const ingress = await openIngress(house, settings)
  try {
    await work(ingress, house)
  } finally {
    await ingress.close()
  }
}

/** Who may do what, as docs/security.md has it. */
const table: Record<string, 'anyone' | CallerRole[]> = Object.fromEntries(
  [
    ...readFileSync(new URL('../../docs/security.md', import.meta.url), 'utf8').matchAll(
      /^\| `([A-Z]+ \/\S*)` \|(.+)\|$/gm,
    ),
  ].map(([, route = '', cells = '']) => {
    const marks = cells.split('|').map((cell) => cell.trim() !== '')
    const roles = callerRoles.filter((_, index) => marks[index])
    return [route, cells.includes('anyone') ? 'anyone' : roles]
  }),
)
const nameOf = ({ method, path }: Route) => `${method} ${path}`

describe('who may do what', () => {
  let ingress: Ingress
  before(async () => {
    ingress = await openIngress(createHouse(), withKeys)
  })
  after(() => ingress.close())

  test('the table of docs/security.md is that of the routes', () => {
    assert.deepEqual(table, Object.fromEntries(routes.map((route) => [nameOf(route), route.roles])))
  })

  for (const route of routes) {
    test(nameOf(route), async () => {
      const allowed = table[nameOf(route)] ?? []
      assert.equal((await statusOf(ingress.url, route)) === 401, allowed !== 'anyone', 'without a key')
      for (const role of callerRoles) {
        const status = await statusOf(ingress.url, route, bearer(keyOf[role]))
        assert.notEqual(status, 401)
        assert.equal(status === 403, allowed !== 'anyone' && !allowed.includes(role), `${role} gets ${status}`)
      }
    })
  }
})

describe('who is not let in', () => {
  let ingress: Ingress
  let house: TestHouse
  before(async () => {
    house = createHouse()
    ingress = await openIngress(house, withKeys)
  })
  after(() => ingress.close())
  const book = { method: 'POST', path: '/book-tickets' } as const

  const rows: [string, Record<string, string>, string][] = [
    ['no header', {}, 'an API key or a token is required'],
    ['another scheme', { Authorization: 'Basic YTpi' }, 'Authorization must be Bearer, and an API key or a token'],
    ['nothing behind Bearer', { Authorization: 'Bearer ' }, 'Authorization must be Bearer, and an API key or a token'],
    ['two keys', { Authorization: `Bearer ${expired} x` }, 'Authorization must be Bearer, and an API key or a token'],
    ['an expired key', bearer(expired), 'the API key has expired'],
    ['a key that was never made', bearer(makeKey('customer').key), 'the API key is not known'],
    ['the digest of a key', bearer(`tsk_customer_${lines[0]?.sha256}`), 'the API key is not known'],
    ['a token where none are taken', bearer('a.b.c'), 'it is no API key'],
    ['15 KiB of key', bearer(`tsk_${'a'.repeat(15_000)}`), 'the API key is not known'],
  ]
  for (const [name, headers, detail] of rows) {
    test(name, async () => {
      const [status, problem, challenge] = await problemOf(await request(ingress.url, book, headers))
      assert.deepEqual([status, problem], [401, `unauthenticated: ${detail}`])
      assert.match(challenge ?? '', /^Bearer realm="turnstile"/)
      assert.equal(challenge?.includes('error="invalid_token"'), name !== 'no header')
      assert.deepEqual(house.sent, [])
    })
  }

  test('a header that is too large is not looked at', async () => {
    const answer = await request(ingress.url, book, bearer('a'.repeat(20_000)))
    assert.equal(answer.status, 431)
  })

  test('the body of a stranger is not waited for', async () => {
    const { hostname, port } = new URL(ingress.url)
    const socket = net.connect(Number(port), hostname)
    socket.write(
      'POST /book-tickets HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n',
    )
    const [answer] = await once(socket, 'data')
    assert.match(String(answer), /^HTTP\/1.1 401 /)
    socket.destroy()
  })

  test('who has not the role is told which it takes', async () => {
    const [status, problem, challenge] = await problemOf(await request(ingress.url, book, bearer(keyOf.operator)))
    assert.deepEqual([status, problem], [403, 'forbidden: this is for the role customer or box-office'])
    assert.match(challenge ?? '', /error="insufficient_scope", scope="customer box-office"$/)
  })
})

describe('who asked', () => {
  const order = { show_id: id, number_of_tickets: 2, customer_email: 'ada@example.org' }
  const book = (url: string, key: string, more: Record<string, string> = {}) =>
    fetch(`${url}/book-tickets`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...bearer(key), ...more },
      body: JSON.stringify(order),
    })

  test('stands in the command, and the same Idempotency-Key of two callers is two', () =>
    opened(withKeys, async ({ url }, house) => {
      for (const role of ['customer', 'box-office', 'customer'] as const)
        assert.equal((await book(url, keyOf[role], { 'Idempotency-Key': 'k' })).status, 201)
      assert.deepEqual(
        house.sent.map(({ meta }) => meta.askedBy),
        ['key:customer', 'key:box-office', 'key:customer'],
      )
      const [first, second, third] = house.sent.map(({ messageId }) => messageId)
      assert.equal(first, third)
      assert.notEqual(first, second)
    }))

  test('may be the bearer of a token', async () => {
    const house = await startIssuer()
    const jwt = {
      TURNSTILE_JWT_ISSUER: issuer,
      TURNSTILE_JWT_AUDIENCE: audience,
      TURNSTILE_JWT_JWKS_URL: house.jwksUrl,
    }
    await opened(jwt, async ({ url }, { sent }) => {
      assert.equal((await book(url, await house.token())).status, 201)
      assert.equal(sent[0]?.meta.askedBy, `jwt:${issuer}#ada`)
      assert.equal((await book(url, await house.token({ roles: [] }))).status, 403)
      assert.equal((await book(url, await house.token({ aud: 'x' }))).status, 401)
      assert.equal((await book(url, keyOf.customer)).status, 401)
      house.isUp = false
    })
    await opened(jwt, async ({ url }) => assert.equal((await book(url, await house.token())).status, 503))
    house.close()
  })

  test('is not asked where nobody has to say it', () =>
    opened({}, async ({ url }, { sent }) => {
      assert.equal((await book(url, 'whatever')).status, 201)
      assert.equal(sent[0]?.meta.askedBy, undefined)
    }))
})

describe('signed webhooks', () => {
  const secret = Buffer.alloc(32, 1)
  const settings = { TURNSTILE_WEBHOOK_SECRETS: `whsec_${secret.toString('base64')}` }
  const ticket = {
    ticket_id: id,
    status: 'confirmed',
    price: { amount: '50.30', currency: 'EUR' },
    customer_email: 'a@b.org',
  }
  const body = JSON.stringify({ tickets: [ticket] })

  function post(url: string, text: string, headers: Record<string, string> = {}) {
    const type = { 'Content-Type': 'application/json', 'Idempotency-Key': 'k' }
    return fetch(`${url}/tickets-status`, { method: 'POST', headers: { ...type, ...headers }, body: text })
  }

  function signed(text: string, key = secret, seconds = Math.floor(Date.now() / 1_000)): Record<string, string> {
    const signature = sign(key, 'msg_1', String(seconds), text).toString('base64')
    return { 'webhook-id': 'msg_1', 'webhook-timestamp': String(seconds), 'webhook-signature': `v1,${signature}` }
  }

  test('are taken, byte for byte, and nothing else is', () =>
    opened({ ...settings, ...withKeys }, async ({ url }, { sent }) => {
      const spaced = `${body.slice(0, -1)} , "déjà": "vu"}\n`
      assert.equal((await post(url, spaced, signed(spaced))).status, 200)
      assert.equal(sent[0]?.meta.askedBy, 'webhook:dead-nation')
      const old = Math.floor(Date.now() / 1_000) - 301
      const bad: [string, Record<string, string>][] = [
        [body, {}],
        [body, bearer(keyOf.webhook)],
        [body, signed(spaced)],
        [body, signed(body, Buffer.alloc(32, 2))],
        [body, signed(body, secret, old)],
        ['', signed(body)],
        ['{', signed(body)],
      ]
      for (const [text, headers] of bad) {
        const [status, problem, challenge] = await problemOf(await post(url, text, headers))
        assert.deepEqual(
          [status, problem.split(':')[0], challenge],
          [401, 'invalid-signature', 'Standard-Webhooks'],
          text,
        )
      }
      const without = await fetch(`${url}/tickets-status`, { method: 'POST', headers: signed(body) })
      assert.equal(without.status, 401)
      assert.equal(sent.length, 1)
      assert.equal((await post(url, '{', signed('{'))).status, 400)
    }))

  test('need no signature without secrets, but the role where callers are asked', async () => {
    await opened({}, async ({ url }) => assert.equal((await post(url, body)).status, 200))
    await opened(withKeys, async ({ url }, { sent }) => {
      assert.equal((await post(url, body, signed(body))).status, 401)
      assert.equal((await post(url, body, bearer(keyOf.webhook))).status, 200)
      assert.equal(sent[0]?.meta.askedBy, 'key:webhook')
    })
  })
})

describe('a port for operators', () => {
  test('has what is for operators alone, and the other has it no more', () =>
    opened({ ...withKeys, OPERATOR_PORT: '0' }, async ({ url, operatorUrl }) => {
      assert.notEqual(operatorUrl, url)
      for (const route of routes) {
        const key = route.roles === 'anyone' ? undefined : keyOf[route.roles[0] as CallerRole]
        if (route.path === '/events') continue
        const [main, own] = [url, operatorUrl].map((side) => statusOf(side, route, key ? bearer(key) : {}))
        const isMissing = async (status: Promise<number> | undefined) => (await status) === 404
        const isForAll = route.roles === 'anyone'
        const isForOperators = String(route.roles) === 'operator'
        if (route.method !== 'GET' || route.path.includes('{')) await Promise.all([main, own])
        else {
          assert.equal(await isMissing(main), isForOperators, `${route.path} on the main port`)
          assert.equal(await isMissing(own), !isForAll && !isForOperators, `${route.path} on the port for operators`)
        }
      }
      assert.equal(await statusOf(operatorUrl, { method: 'GET', path: '/metrics' }), 200)
      assert.equal(await statusOf(operatorUrl, { method: 'GET', path: '/ops/bookings' }), 401)
      const document = (await (await fetch(`${url}/openapi.json`)).json()) as { paths: object }
      assert.ok(!Object.keys(document.paths).some((one) => one.startsWith('/ops')))
    }))

  test('every route is on one port, and those for anyone on both', () => {
    for (const isOpen of [true, false]) {
      const [whole, split] = [portsOf(isOpen, false), portsOf(isOpen, true)]
      assert.deepEqual(whole.operator, [])
      const paths = (list: Route[]) => [...new Set(list.map(nameOf))].sort()
      assert.deepEqual(paths([...split.main, ...split.operator]), paths(whole.main))
    }
    const { main } = portsOf(false, false)
    assert.deepEqual(main.map(nameOf), ['GET /health', 'GET /health/ready', 'GET /metrics'])
  })

  test('is said to be the one that cannot be listened on', () =>
    opened({}, async ({ url }) => {
      const settings = { OPERATOR_PORT: new URL(url).port }
      await assert.rejects(openIngress(createHouse(), settings), {
        code: 'config-invalid',
        message: /^OPERATOR_PORT \d+ is in use/,
      })
    }))
})

describe('too many requests', () => {
  const limited = { ...withKeys, TURNSTILE_RATE_LIMIT: '3/60' }
  const shows = { method: 'GET', path: '/shows' } as const

  test('of one caller are 429, and those of others are not', () =>
    opened(limited, async ({ url }) => {
      const answers = []
      for (let i = 0; i < 5; i++) answers.push(await request(url, shows, bearer(keyOf.customer)))
      assert.deepEqual(
        answers.map(({ status }) => status),
        [200, 200, 200, 429, 429],
      )
      assert.deepEqual(
        answers.map(({ headers }) => headers.get('RateLimit')?.split(';')[1]),
        ['r=2', 'r=1', 'r=0', 'r=0', 'r=0'],
      )
      const [first, , , refused] = answers
      assert.equal(first?.headers.get('RateLimit-Policy'), '"caller";q=3;w=60')
      assert.match(refused?.headers.get('Retry-After') ?? '', /^(1\d|20)$/)
      assert.ok(refused)
      assert.match((await problemOf(refused))[1], /^too-many-requests: more than 3 requests in 60 s$/)
      assert.equal(await statusOf(url, shows, bearer(keyOf.operator)), 200)
      assert.equal(await statusOf(url, { method: 'GET', path: '/health' }), 200)
    }))

  test('of an address that guesses keys are 429 too, which holds up nobody with a good one', () =>
    opened(limited, async ({ url }) => {
      const statuses = []
      for (let i = 0; i < 4; i++) statuses.push(await statusOf(url, shows, bearer(makeKey('customer').key)))
      assert.deepEqual(statuses, [401, 401, 401, 429])
      assert.equal(await statusOf(url, shows, bearer(keyOf.customer)), 200)
    }))

  test('are counted by address where nobody has to say who it is', () =>
    opened({ TURNSTILE_RATE_LIMIT: '2/60' }, async ({ url }) => {
      const statuses = []
      for (let i = 0; i < 3; i++) statuses.push(await statusOf(url, shows))
      assert.deepEqual(statuses, [200, 200, 429])
    }))
})

describe('beyond this machine', () => {
  test('nobody is let in unasked, unless it is said so', async () => {
    for (const HOST of ['0.0.0.0', '::', '192.0.2.1', 'tickets.example.org'])
      await assert.rejects(openIngress(createHouse(), { HOST }), {
        code: 'config-invalid',
        message: /^HOST \S+ is reachable from beyond this machine.+TURNSTILE_AUTH=none if anyone may do anything$/,
      })
    const signed = { HOST: '0.0.0.0', TURNSTILE_WEBHOOK_SECRETS: `whsec_${Buffer.alloc(32).toString('base64')}` }
    await assert.rejects(openIngress(createHouse(), signed), { code: 'config-invalid' })
    await opened({ HOST: '0.0.0.0', TURNSTILE_AUTH: 'none' }, async () => {})
    await opened({ HOST: '0.0.0.0', ...withKeys }, async () => {})
    for (const HOST of ['127.0.0.1', '127.1.2.3', 'localhost']) await opened({ HOST }, async () => {})
  })
})
