import { connect } from '@nats-io/transport-node'
import { settledRecord, violationsOf } from '../record.ts'
import { startDaemon } from '../sandbox/daemon.ts'
import { startSandbox } from '../sandbox/sandbox.ts'
import { createGuide } from './guide.ts'
import { createScreen } from './screen.ts'
import { tour } from './tour.ts'

const patienceMs = 60_000

/** @returns the exit code: 0 when everything turned out as it was told */
export async function main(): Promise<number> {
  const screen = createScreen(process.stdout)
  screen.say('starting Postgres, nats-server, simulated services and the daemon, on free ports')
  const sandbox = await startSandbox()
  const closing: (() => Promise<void>)[] = [() => sandbox.stop()]
  try {
    const daemon = await startDaemon({ env: { ...sandbox.env, LOG_LEVEL: 'fatal' } })
    closing.push(() => daemon.stop())
    const nats = await connect({ servers: sandbox.nats.url })
    closing.push(() => nats.close())
    const guide = createGuide(daemon.url, sandbox.gateway, nats, screen)
    await tour(guide)
    screen.heading('And the record')
    const findings = await settledRecord(sandbox.postgres.url, patienceMs)
    const turns = findings.verdicts.positions.looked
    guide.check(`turnstile verify holds ${turns} turns against all that is stored: all of it holds`, findings.isClean)
    for (const line of violationsOf(findings)) screen.say(line)
    return guide.isAsTold() ? 0 : 1
  } finally {
    for (const close of closing.reverse()) await close()
  }
}
