import type { Stored } from '../../src/broker/wire.ts'
import type { StreamName } from '../../src/engine/ports.ts'
import type { Database } from './database.ts'
import type { Faults } from './faults.ts'
import type { Messaging } from './messaging.ts'
import type { Mix } from './mix.ts'
import type { Services } from './services.ts'
import type { Witness } from './witness.ts'
import type { Workers } from './workers.ts'

type World = {
  mix: Mix
  faults: Faults
  database: Database
  messaging: Messaging
  services: Services
  workers: Workers
  witness: Witness
}

const serviceNames = [
  'dead-nation-api',
  'receipts-api',
  'payments-api',
  'files-api',
  'spreadsheets-api',
  'transportation-api',
]

/** Plans what goes wrong of itself, at any time of the storm, and its end. */
export function planStorm(world: World): void {
  const { mix, faults, database, messaging, services, workers } = world
  const { time, random } = faults
  const atSomeTime = (times: number, action: () => void): void => {
    for (let i = 0; i < times; i++) time.plan(random.between(1, mix.stormMs), action)
  }
  atSomeTime(mix.pauses, () => workers.pauseSome(random.between(mix.leaseMs / 4, mix.leaseMs * 3)))
  atSomeTime(mix.stops, () => workers.stopSome())
  atSomeTime(mix.databaseOutages, () => {
    faults.see('database', 'database outage')
    database.isDown = true
    time.plan(random.between(50, 2_000), () => {
      database.isDown = false
    })
  })
  atSomeTime(mix.brokerOutages, () => {
    faults.see('broker', 'broker outage')
    messaging.goDown(random.between(50, 2_000))
  })
  atSomeTime(mix.serviceOutages, () => {
    faults.see('services', 'service outage')
    const service = random.pick(serviceNames)
    services.down.add(service)
    time.plan(random.between(500, 4_000), () => services.down.delete(service))
  })
  atSomeTime(mix.brokenReadings, () => messaging.breakSomeReading())
  atSomeTime(mix.fullMailboxes, () => {
    messaging.memory.streams.mailbox.maxMessages = 0
    time.plan(random.between(100, 1_500), () => {
      messaging.memory.streams.mailbox.maxMessages = Number.POSITIVE_INFINITY
    })
  })
  atSomeTime(mix.wipes.length > 0 ? 1 : 0, () => {
    for (const name of mix.wipes) wipe(world, name)
  })
  time.plan(mix.stormMs, () => faults.end())
}

/** A stream is lost, and with it what nobody has taken. Its events must come again, its calls are still to be made. */
function wipe(world: World, name: StreamName): void {
  const { faults, messaging, witness } = world
  faults.see('broker', `${name} stream wiped`)
  const lost = messaging.wipe(name)
  if (name === 'events') witness.lost(lost)
  if (name === 'mailbox') for (const message of lost) restoreSometime(world, message)
}

/**
 * What had its turn is not missed, and what turns have sent is redriven. Of the rest, those outside who were not answered say
 * again what they said, and what had been sent back by a resume is sent back once more.
 */
function restoreSometime({ faults, messaging, witness }: World, message: Stored): void {
  const { time, random } = faults
  const restore = (): void => {
    const { subject, headers, payload } = message
    const isSentBack = /\/\d+$/.test(headers['Nats-Msg-Id'] ?? '')
    if (('Causation-ID' in headers && !isSentBack) || !witness.isUndecided(message)) return
    const isStored = messaging.memory.publish({ subject, headers, body: payload })
    if (!isStored) time.plan(500, restore)
  }
  time.plan(random.between(1, 2_000), restore)
}
