import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { connect, nkeys } from '@nats-io/transport-node'
import { type NatsSecurity, securityOptions } from '../src/broker/security.ts'
import { createAuthority } from './support/certificates.ts'
import { runCli } from './support/cli.ts'
import { Client } from './support/client.ts'
import { type Cluster, startCluster } from './support/cluster.ts'

/** Postgres and NATS that show certificates; NATS takes nobody without one, and no user but ours. */
describe('TLS to Postgres and NATS', () => {
  const folder = mkdtempSync(path.join(process.env.TEST_FOLDER ?? tmpdir(), 'tls-'))
  const file = (name: string, text: string): string => {
    const place = path.join(folder, name)
    writeFileSync(place, text, { mode: 0o600 })
    return place
  }
  const [authority, stranger] = [createAuthority('ours'), createAuthority('somebody else')]
  const [server, client] = [authority.issue('localhost'), authority.issue('turnstile')]
  const user = nkeys.createUser()
  const seed = Buffer.from(user.getSeed()).toString()
  const files = {
    NATS_CA_FILE: file('ca.crt', authority.certificate),
    NATS_CERT_FILE: file('client.crt', client.certificate),
    NATS_KEY_FILE: file('client.key', client.key),
    NATS_NKEY_FILE: file('client.nk', `${seed}\n`),
  }
  const strangerFile = file('stranger.crt', stranger.certificate)
  const [serverCert, serverKey] = [file('server.crt', server.certificate), file('server.key', server.key)]

  let cluster: Cluster
  let natsUrl: string
  let databaseUrl: (query: string) => string
  before(async () => {
    cluster = await startCluster({
      postgresSettings: { ssl: 'on', ssl_cert_file: serverCert, ssl_key_file: serverKey },
      natsAuthorization: [
        `tls { cert_file: "${serverCert}", key_file: "${serverKey}", ca_file: "${files.NATS_CA_FILE}", verify: true }`,
        `authorization { users: [ { nkey: ${user.getPublicKey()} } ] }`,
      ].join('\n'),
    })
    natsUrl = cluster.nats.url.replace('nats://127.0.0.1', 'tls://localhost')
    databaseUrl = (query) => `${cluster.postgres.url.replace('127.0.0.1', 'localhost')}?${query}`
  })
  after(async () => {
    await cluster.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  test('a daemon with its certificates and key by file sells, and every connection is encrypted', async () => {
    const POSTGRES_URL_FILE = file('url', databaseUrl(`sslmode=verify-full&sslrootcert=${files.NATS_CA_FILE}`))
    const daemon = await cluster.addDaemon(undefined, {
      ...files,
      NATS_URL: natsUrl,
      POSTGRES_URL: '',
      POSTGRES_URL_FILE,
    })
    const shop = new Client(daemon.url)
    assert.equal((await shop.book(await shop.createShow(1))).status, 201)
    const rows = await cluster.sql<{ ssl: boolean }[]>`
      select ssl from pg_stat_activity join pg_stat_ssl using (pid) where application_name like 'turnstile %'`
    assert.ok(rows.length > 3)
    assert.deepEqual(new Set(rows.map(({ ssl }) => ssl)), new Set([true]))
    shop.close()
  })

  test('a Postgres that somebody else vouches for is not believed', async () => {
    const migrate = async (query: string) => runCli({ POSTGRES_URL: databaseUrl(query) }, ['migrate'])
    const { code, err } = await migrate(`sslmode=verify-full&sslrootcert=${strangerFile}`)
    assert.equal(code, 1)
    assert.match(err, /certificate/)
    const byAddress = cluster.postgres.url
    const other = await runCli({ POSTGRES_URL: `${byAddress}?sslmode=verify-full&sslrootcert=${files.NATS_CA_FILE}` }, [
      'migrate',
    ])
    assert.match(other.err, /does not match|altnames/)
    assert.equal((await migrate(`sslmode=verify-ca&sslrootcert=${files.NATS_CA_FILE}`)).code, 0)
  })

  test('a NATS that somebody else vouches for is not believed, and takes nobody without certificate or key', async () => {
    const good: NatsSecurity = {
      NATS_CA: authority.certificate,
      NATS_CERT: client.certificate,
      NATS_KEY: client.key,
      NATS_NKEY: seed,
    }
    const attempt = async (security: NatsSecurity): Promise<string> => {
      const options = { servers: natsUrl.replace('tls://', ''), ...securityOptions(security, true), reconnect: false }
      try {
        const connection = await connect(options)
        await connection.close()
        return 'connected'
      } catch (error) {
        return (error as Error).message
      }
    }
    assert.equal(await attempt(good), 'connected')
    assert.match(await attempt({ ...good, NATS_CA: stranger.certificate }), /certificate/)
    const { NATS_CERT, NATS_KEY, ...uncertified } = good
    assert.notEqual(await attempt(uncertified), 'connected')
    const other = stranger.issue('turnstile')
    assert.notEqual(await attempt({ ...good, NATS_CERT: other.certificate, NATS_KEY: other.key }), 'connected')
    const { NATS_NKEY, ...nameless } = good
    assert.match(await attempt(nameless), /[Aa]uthorization/)
    const nobody = Buffer.from(nkeys.createUser().getSeed()).toString()
    assert.match(await attempt({ ...good, NATS_NKEY: nobody }), /[Aa]uthorization/)
  })
})
