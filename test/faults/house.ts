import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import postgres from 'postgres'
import { faultsOf } from '../../ops/bundles/orders.ts'
import { freePort } from '../../ops/sandbox/ports.ts'
import { type Sandbox, startSandbox } from '../../ops/sandbox/sandbox.ts'
import { type Link, startLink } from './link.ts'
import { type Member, startMember } from './member.ts'
import { createSigns, type Sign } from './signs.ts'

/** Servers and daemons, each daemon a process with links of its own to whatever it talks to. */
export type House = Omit<Sandbox, 'stop'> & {
  workers: Member[]
  ingress: Member
  effects: Member
  /** All of them. */
  members: Member[]
  /** The link that clients and the services' webhooks come by. */
  clients: Link
  /** Past that link. */
  ingressUrl: string
  /** Past all links: for looking, and for breaking what is to be broken. */
  sql: postgres.Sql
  /** What ended though nobody had killed it. */
  ended: string[]
  /** How often the daemons have said that a fault had reached them. */
  signs: Record<Sign, number>
  /** Where the daemons' logs are. They go with the house unless there is something to look for. */
  logs: string
  stop(keepLogs: boolean): Promise<void>
}

export type HouseOptions = {
  workers: number
  leaseMs: number
  /** The share of calls of every service that go wrong, 0 to 1. */
  fault: number
}

const confirmAfterMs = 100
/** Short, so that some are outlived in the storm and all soon after it. */
const deadlines = { BOOKING_DEADLINE_MS: '60000', BUNDLE_STEP_DEADLINE_MS: '60000' }

export async function startHouse({ workers: count, leaseMs, fault }: HouseOptions): Promise<House> {
  const logs = mkdtempSync(path.join(process.env.TEST_FOLDER ?? tmpdir(), 'turnstile-faults-'))
  const sandbox = await startSandbox({ confirmAfterMs })
  sandbox.gateway.setFaults(faultsOf(fault))
  const sql = postgres(sandbox.postgres.url, { max: 2, onnotice: () => {}, connection: { application_name: 'faults' } })
  const ended: string[] = []
  const signs = createSigns()
  const links: Link[] = []
  const link = async (url: string): Promise<[Link, string]> => {
    const link = await startLink(Number(new URL(url).port))
    links.push(link)
    const linked = new URL(url)
    linked.port = String(link.port)
    return [link, linked.href.replace(/\/$/, '')]
  }
  const add = async (name: string, roles: string, settings: Record<string, string> = {}): Promise<Member> => {
    const [nats, NATS_URL] = await link(sandbox.env.NATS_URL)
    const [database, POSTGRES_URL] = await link(sandbox.env.POSTGRES_URL)
    const [services, GATEWAY_ADDR] = await link(sandbox.env.GATEWAY_ADDR)
    const addresses = { NATS_URL, POSTGRES_URL, GATEWAY_ADDR, PORT: String(await freePort()) }
    const env = { ...addresses, ...deadlines, TURNSTILE_LEASE_MS: String(leaseMs), ...settings }
    const links = { NATS: nats, Postgres: database, ...(roles.includes('effects') && { services }) }
    const logFile = path.join(logs, `${name.replaceAll(' ', '-')}.log`)
    return startMember({ name, links, env, roles, logFile, onLine: signs.onLine, onEnd: (how) => ended.push(how) })
  }

  const port = await freePort()
  const clients = await startLink(port, Number(sandbox.env.PORT))
  links.push(clients)
  const addWorker = (index: number): Promise<Member> => add(`worker ${index + 1}`, 'worker')
  // It makes the tables and the streams; and while there is no worker, nobody else is ready.
  const first = await addWorker(0)
  const [ingress, effects, ...others] = await Promise.all([
    add('ingress', 'ingress', { PORT: String(port) }),
    add('effects and projector', 'effects,projector'),
    ...Array.from({ length: count - 1 }, (_, index) => addWorker(index + 1)),
  ])
  const workers = [first, ...others]
  const members = [...workers, ingress, effects]
  return {
    ...sandbox,
    workers,
    ingress,
    effects,
    members,
    clients,
    ingressUrl: `http://127.0.0.1:${port}`,
    sql,
    ended,
    signs: signs.counts,
    logs,
    async stop(keepLogs) {
      for (const link of links) link.set({})
      await Promise.all(members.map((member) => member.stop()))
      await sql.end({ timeout: 1 })
      for (const link of links) await link.close()
      await sandbox.stop()
      if (!keepLogs) rmSync(logs, { recursive: true, force: true })
    },
  }
}
