import { after, before, describe } from 'node:test'
import { testServer } from '../../test/support/environment.ts'
import { findLatestNats } from '../../test/support/nats-latest.ts'
import { brokerFeatures } from './broker.features.ts'
import { natsFeatures } from './nats.features.ts'
import { openOn, startOwnNats } from './nats.fixtures.ts'

const installed = testServer('TEST_NATS_URL')
brokerFeatures('the nats-server that is installed', () => openOn(installed))
natsFeatures('the nats-server that is installed', () => installed)

const latest = await findLatestNats()
describe('nats-server 2.10 or later', { skip: latest.skip ?? false }, () => {
  let server: Awaited<ReturnType<typeof startOwnNats>>
  before(async () => {
    server = await startOwnNats(latest.path)
  })
  after(() => server.remove())
  brokerFeatures('a recent nats-server', () => openOn(server.url))
  natsFeatures('a recent nats-server', () => server.url)
})
