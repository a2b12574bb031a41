import type { Stored } from '../../src/broker/wire.ts'
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
  atSomeTime(mix.wipes, () => wipe(world))
  time.plan(mix.stormMs, () => faults.end())
}

/**
 * The mailboxes are lost. What had its turn is not missed. What had none is published again, as an operator would do it who
 * knows the journal.
 */
function wipe({ faults, messaging, witness }: World): void {
  const { time, random } = faults
  faults.see('broker', 'mailbox stream wiped')
  const lost = messaging.wipeMailboxes()
  const restore = (message: Stored): void => {
    const { subject, headers, payload } = message
    // What turns have sent is redriven. Those outside who were not answered say again what they said; what had been sent
    // back by a resume is sent back once more.
    const isSentBack = /\/\d+$/.test(headers['Nats-Msg-Id'] ?? '')
    if (('Causation-ID' in headers && !isSentBack) || !witness.isUndecided(message)) return
    const isStored = messaging.memory.publish({ subject, headers, body: payload })
    if (!isStored) time.plan(500, () => restore(message))
  }
  for (const message of lost) time.plan(random.between(1, 2_000), () => restore(message))
}
