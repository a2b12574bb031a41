import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Server } from '../../ops/sandbox/server.ts'
import type { Chance } from '../support/random.ts'
import { until } from '../support/wait.ts'
import type { House } from './house.ts'
import type { Link, Weather } from './link.ts'
import type { Member } from './member.ts'

export type Place = { house: House; chance: Chance; leaseMs: number }

/** Something that goes wrong, besides a killed worker. */
export type Blow = {
  name: string
  /**
   * Resolves when it is over: what was away is back, what was silent speaks.
   *
   * @returns what exactly was struck
   * @throws when it could not be dealt
   */
  strike(place: Place): Promise<string>
}

const killed = (name: string, which: (house: House) => Server, meanwhile: (house: House) => void = () => {}): Blow => ({
  name,
  async strike({ house, chance, leaseMs }) {
    const server = which(house)
    const awayMs = chance.below(leaseMs)
    await server.kill()
    meanwhile(house)
    await sleep(awayMs)
    await server.start()
    return `for ${awayMs} ms`
  },
})

const memberKilled = (name: string, which: (house: House) => Member): Blow => ({
  name,
  async strike({ house }) {
    const member = which(house)
    await member.kill()
    await until(`${member.name} is back`, () => member.isUp(), 60_000)
    return ''
  },
})

/** Stopped for longer than its lease, in the middle of whatever it was doing, and continued as if nothing had been. */
const zombie: Blow = {
  name: 'worker stopped past its lease',
  async strike({ house, chance, leaseMs }) {
    const worker = chance.pick(house.workers.filter((member) => member.isUp()))
    const stoppedMs = leaseMs + chance.below(leaseMs)
    worker.signal('SIGSTOP')
    await sleep(stoppedMs)
    worker.signal('SIGCONT')
    return `${worker.name}, for ${stoppedMs} ms`
  },
}

const commitsWanted = 5
/** Stands in the first kilobyte of the statement that commits a batch, which is as much as Postgres shows, and in no other. */
const inCommit = '%cursor_before%'

/** Ends backends while they write a batch, one after the other. */
const backendsTerminated: Blow = {
  name: 'backends terminated inside commits',
  async strike({ house: { sql } }) {
    let count = 0
    const isEnough = async (): Promise<boolean> => {
      const rows = await sql`
        select pg_terminate_backend(pid) from pg_stat_activity
        where application_name like 'turnstile%' and state = 'active' and query like ${inCommit}
          and pid <> pg_backend_pid()`
      count += rows.length
      return count >= commitsWanted
    }
    await until('commits are hit', isEnough, 30_000)
    return `${count} of them`
  },
}

type Trouble = {
  name: string
  begin(link: Link, chance: Chance): Promise<void>
  /** Over several leases it is another trouble: nobody may take it for the end of the world. */
  leases: number
}

const weather = (name: string, leases: number, weatherOf: (chance: Chance) => Weather): Trouble => ({
  name,
  leases,
  begin: async (link, chance) => link.set(weatherOf(chance)),
})

const troubles: Trouble[] = [
  weather('slow', 2, (chance) => ({ delayMs: 10 + chance.below(100) })),
  weather('silent both ways', 1.5, () => ({ silent: ['to server', 'to client'] })),
  weather('silent to the server', 1.5, () => ({ silent: ['to server'] })),
  weather('silent from the server', 1.5, () => ({ silent: ['to client'] })),
  {
    name: 'cut',
    leases: 0,
    async begin(link, chance) {
      for (let left = 1 + chance.below(3); left > 0; left--) {
        link.cut()
        await sleep(chance.below(300))
      }
    },
  },
]

type Pair = { name: string; pick(place: Place): { who: string; link: Link } }

const pairOf = (kind: 'NATS' | 'Postgres'): Pair => ({
  name: `daemon–${kind}`,
  pick({ house, chance }) {
    const { name, links } = chance.pick(house.members)
    return { who: name, link: links[kind] as Link }
  },
})

const pairs: Pair[] = [
  pairOf('NATS'),
  pairOf('Postgres'),
  { name: 'effects–services', pick: ({ house }) => ({ who: '', link: house.effects.links.services as Link }) },
  { name: 'client–ingress', pick: ({ house }) => ({ who: '', link: house.clients }) },
]

const troubled = (pair: Pair, trouble: Trouble): Blow => ({
  name: `${pair.name} ${trouble.name}`,
  async strike(place) {
    const { chance, leaseMs } = place
    const { who, link } = pair.pick(place)
    const lastsMs = Math.round(leaseMs * trouble.leases * (0.5 + chance.next()))
    // What was held back comes late, or never.
    const isLost = chance.hits(0.5)
    await trouble.begin(link, chance)
    await sleep(lastsMs)
    if (isLost) link.cut()
    link.set({})
    return [who, `for ${lastsMs} ms`, ...(isLost ? ['then cut'] : [])].filter((part) => part !== '').join(', ')
  },
})

const forgetStreams = ({ nats }: House): void => rmSync(nats.streamsFolder, { recursive: true })

/**
 * One of each, in any order.
 *
 * @param linksEach on how many links each trouble is tried
 */
export function drawBlows(chance: Chance, linksEach: number): Blow[] {
  return [
    killed('nats-server killed', ({ nats }) => nats),
    killed('nats-server killed, its store wiped', ({ nats }) => nats, forgetStreams),
    killed('Postgres killed', ({ postgres }) => postgres),
    memberKilled('ingress killed', ({ ingress }) => ingress),
    memberKilled('effects and projector killed', ({ effects }) => effects),
    zombie,
    backendsTerminated,
    ...troubles.flatMap((trouble) => {
      const left = [...pairs]
      return Array.from({ length: linksEach }, () => troubled(chance.take(left), trouble))
    }),
  ]
}
