import { Gauge, type Registry } from 'prom-client'
import type { MailboxStanding } from '../engine/ports.ts'

/** How the mailboxes of this process stand, as of the worker's last heartbeat. */
export function createMailboxGauges(registers: Registry[]): (standings: MailboxStanding[]) => void {
  const owned = new Gauge({ name: 'turnstile_partitions_owned', help: 'Partitions of this process', registers })
  const unread = new Gauge({
    name: 'turnstile_partitions_unread',
    help: 'Partitions of this process whose mailbox cannot be read at present',
    registers,
  })
  const lag = new Gauge({
    name: 'turnstile_mailbox_lag_messages',
    help: 'Messages that wait for their turn, by partition: each is read by a consumer of its own',
    labelNames: ['partition'] as const,
    registers,
  })
  const oldest = new Gauge({
    name: 'turnstile_mailbox_oldest_seconds',
    help: 'How long the oldest of the messages that wait for their turn has waited',
    registers,
  })
  return (standings) => {
    owned.set(standings.length)
    unread.set(standings.filter(({ isOpen }) => !isOpen).length)
    // Those that went to another worker are its to tell of.
    lag.reset()
    for (const { partition, lag: messages } of standings) lag.set({ partition }, messages)
    const times = standings.flatMap(({ oldestAt }) => oldestAt ?? [])
    // The broker's clock may be ahead of ours.
    oldest.set(Math.max(0, Date.now() - Math.min(Date.now(), ...times)) / 1_000)
  }
}
