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
    const up = () => house.workers.filter((worker) => worker.isUp())
    await until('a worker is there', () => up().length > 0, 60_000)
    const worker = chance.pick(up())
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

/** Something that goes wrong with one connection or several of the same kind. @returns what it was like */
type Trouble = { name: string; on(link: Link, place: Place): Promise<string> }

/** @param leases how long it lasts at most; what was held back then comes late, or never */
const weather = (name: string, leases: number, weatherOf: (chance: Chance) => Weather): Trouble => ({
  name,
  async on(link, { chance, leaseMs }) {
    const lastsMs = Math.round((leaseMs * leases * (1 + 2 * chance.next())) / 3)
    const isLost = chance.hits(0.5)
    link.set(weatherOf(chance))
    await sleep(lastsMs)
    if (isLost) link.cut()
    link.set({})
    return `for ${lastsMs} ms${isLost ? ', then cut' : ''}`
  },
})

const cut: Trouble = {
  name: 'cut',
  async on(link, { chance }) {
    const times = 1 + chance.below(3)
    for (let left = times; left > 0; left--) {
      link.cut()
      await sleep(chance.below(300))
    }
    return times === 1 ? 'once' : `${times} times`
  },
}

const troubles: Trouble[] = [
  weather('slow', 2, (chance) => ({ delayMs: 10 + chance.below(100) })),
  weather('silent both ways', 3, () => ({ silent: ['to server', 'to client'] })),
  weather('silent to the server', 3, () => ({ silent: ['to server'] })),
  weather('silent from the server', 3, () => ({ silent: ['to client'] })),
  cut,
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
    const { who, link } = pair.pick(place)
    const what = await trouble.on(link, place)
    return who === '' ? what : `${who}, ${what}`
  },
})

const forgetStreams = ({ nats }: House): void => rmSync(nats.streamsFolder, { recursive: true })

/** @param pairsEach on how many kinds of connections each trouble is tried */
export function drawBlows(chance: Chance, pairsEach: number): Blow[] {
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
      return Array.from({ length: pairsEach }, () => troubled(chance.take(left), trouble))
    }),
  ]
}

/** So many kinds of connections there are. */
export const pairCount = pairs.length
