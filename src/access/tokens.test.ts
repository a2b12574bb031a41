import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { SignJWT } from 'jose'
import { audience, type Issuer, issuer, startIssuer } from './tokens.fixtures.ts'
import { Tokens } from './tokens.ts'

describe('tokens', () => {
  let house: Issuer
  before(async () => {
    house = await startIssuer()
  })
  after(() => house.close())

  const open = (more: object = {}) =>
    new Tokens({
      issuer,
      audience,
      jwksUrl: house.jwksUrl,
      algorithms: ['ES256'],
      clockToleranceS: 10,
      rolesClaim: 'roles',
      ...more,
    })
  const nowS = () => Math.floor(Date.now() / 1_000)

  test('a good one leads to its bearer', async () => {
    assert.deepEqual(await open().find(await house.token(), Date.now()), {
      subject: `jwt:${issuer}#ada`,
      roles: ['customer'],
    })
  })

  const denied: [string, () => Promise<string> | string, RegExp][] = [
    ['of another issuer', () => house.token({ iss: 'https://evil.example.org' }), /the claim iss/],
    ['meant for somebody else', () => house.token({ aud: 'shop' }), /the claim aud/],
    ['expired', () => house.token({ exp: nowS() - 11 }), /has expired/],
    ['not good yet', () => house.token({ nbf: nowS() + 60 }), /the claim nbf/],
    ['without an end', () => house.token({ exp: undefined }), /the claim exp/],
    ['without a subject', () => house.token({ sub: undefined }), /the claim sub/],
    ['with a subject that no header can carry', () => house.token({ sub: 'ada\r\nAsked-By: boss' }), /iss and sub/],
    ['with a subject that is too long', () => house.token({ sub: 'a'.repeat(250) }), /iss and sub/],
    ['that is none', () => 'nonsense', /no token/],
    ['of three parts that are nothing', () => 'a.b.c', /no token/],
    [
      'signed by a shared secret',
      () => new SignJWT({ iss: issuer }).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.alloc(32)),
      /algorithm/,
    ],
    ['signed by nobody', async () => unsigned(await house.token()), /algorithm/],
    ['whose claims were changed', async () => tampered(await house.token()), /not signed by the issuer/],
  ]
  for (const [name, make, reason] of denied) {
    test(`one ${name} is denied`, async () => {
      const verdict = await open().find(await make(), Date.now())
      assert.ok('denied' in verdict, JSON.stringify(verdict))
      assert.match(verdict.denied, reason)
    })
  }

  test('clocks may differ a little', async () => {
    assert.ok('subject' in (await open().find(await house.token({ exp: nowS() - 5 }), Date.now())))
    assert.ok('subject' in (await open().find(await house.token({ nbf: nowS() + 5 }), Date.now())))
  })

  test('roles are a list or words, anywhere in the token; those of others are nothing to us', async () => {
    const rolesOf = async (rolesClaim: string, claims: object) => {
      const caller = await open({ rolesClaim }).find(await house.token({ roles: undefined, ...claims }), Date.now())
      return 'roles' in caller ? caller.roles : caller
    }
    assert.deepEqual(await rolesOf('scope', { scope: 'openid box-office' }), ['box-office'])
    assert.deepEqual(await rolesOf('realm.roles', { realm: { roles: ['operator', 'admin', 7] } }), ['operator'])
    for (const claims of [{}, { roles: null }, { roles: 7 }, { roles: {} }])
      assert.deepEqual(await rolesOf('roles', claims), [])
    assert.deepEqual(await rolesOf('a.b', { a: null }), [])
  })

  test('the keys are fetched once, again when the issuer has new ones, and a verified token is remembered', async () => {
    const tokens = open()
    const before = house.fetches()
    const old = await house.token()
    for (let i = 0; i < 10; i++)
      assert.ok('subject' in (await tokens.find(await house.token({ jti: `${i}` }), Date.now())))
    await tokens.find(old, Date.now())
    assert.equal(house.fetches() - before, 1)
    await house.rotate()
    // Not oftener than every half minute, by the library's own clock: made old by opening anew.
    const fresh = open()
    assert.ok('subject' in (await fresh.find(await house.token(), Date.now())))
    assert.match(JSON.stringify(await fresh.find(old, Date.now())), /not signed by the issuer/)
    assert.ok('subject' in (await tokens.find(old, Date.now())))
    assert.match(JSON.stringify(await tokens.find(old, Date.now() + 2 * 3_600_000)), /has expired/)
  })

  test('while the issuer does not answer, nobody is denied, and it is not asked for every request', async () => {
    house.isUp = false
    const tokens = open()
    const before = house.fetches()
    const now = Date.now()
    for (let i = 0; i < 10; i++)
      await assert.rejects(tokens.find(await house.token(), now), { code: 'issuer-unavailable' })
    assert.equal(house.fetches() - before, 1)
    house.isUp = true
    assert.ok('subject' in (await tokens.find(await house.token(), now + 2_000)))
  })
})

/** `alg: none`, the oldest trick. */
function unsigned(token: string): string {
  const header = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url')
  return `${header}.${token.split('.')[1]}.`
}

function tampered(token: string): string {
  const [header, claims = '', signature] = token.split('.')
  const text = Buffer.from(claims, 'base64url').toString().replace('customer', 'operator')
  return [header, Buffer.from(text).toString('base64url'), signature].join('.')
}
