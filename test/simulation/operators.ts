import { services } from '../../schemas/index.ts'
import type { DeadLetter, Pause } from '../../src/engine/ports.ts'
import type { Command, Desk } from '../../src/pauses/command.ts'
import { pause } from '../../src/pauses/pause.ts'
import { resume } from '../../src/pauses/resume.ts'
import type { LetterFilter, LetterRecord, LetterRef } from '../../src/store/dead-letter-records.ts'
import type { MemoryStore, StoredLetter } from '../../src/store/memory.ts'
import type { Database } from './database.ts'
import { type Faults, longestDelayMs } from './faults.ts'
import { Host } from './host.ts'
import type { Messaging } from './messaging.ts'
import type { Mix } from './mix.ts'
import type { Witness } from './witness.ts'

type World = {
  mix: Mix
  faults: Faults
  database: Database
  messaging: Messaging
  store: MemoryStore
  witness: Witness
}

const kinds = ['show', 'booking', 'ticket', 'bundle']

/** Those who hold back an actor, a kind or a service, and let it go on: by the shipped commands, again until they end well. */
export class Operators {
  readonly #world: World
  #sessions = 0

  constructor(world: World) {
    this.#world = world
  }

  /** Plans all that they do of themselves. A pause may outlast the storm. */
  start(): void {
    const { mix, faults } = this.#world
    const { time, random } = faults
    for (let i = 0; i < mix.holds; i++) {
      time.plan(random.between(1, mix.stormMs), async () => {
        const target = this.#pick()
        await this.#untilDone(pause, [...target, '--reason', 'a storm'])
        time.plan(random.between(300, 8_000), async () => {
          await this.#untilDone(resume, target)
          time.plan(longestDelayMs, () => void this.#resumeLate(target))
        })
      })
    }
  }

  /** A pause that was given up on because its connection broke may have gone in since. */
  async #resumeLate(args: string[]): Promise<void> {
    const [target, ...name] = args as [Pause['target'], ...string[]]
    if (await isStanding(this.#world.store, { target, name: name.join('.') })) await this.#untilDone(resume, args)
  }

  #pick(): string[] {
    const { witness, faults } = this.#world
    const { random } = faults
    const actors = [...witness.actors.keys()].filter((key) => !key.startsWith('agent'))
    const choice = random.fraction()
    if (choice < 0.4) return ['service', random.pick(services)]
    if (choice < 0.7 || actors.length === 0) return ['kind', random.pick(kinds)]
    return ['actor', ...random.pick(actors).split('.')]
  }

  async #untilDone(command: Command, args: string[]): Promise<void> {
    const { faults } = this.#world
    for (;;) {
      if ((await this.#run(command, args)) === 0) return
      await faults.time.clock().sleep(faults.random.between(100, 1_000))
    }
  }

  /** In a process of its own, which may die. @returns its exit code */
  #run(command: Command, args: string[]): Promise<number> {
    const { faults, messaging } = this.#world
    const host = new Host(`operator ${++this.#sessions}`, faults.time)
    faults.trace.note(host.name, args.join(' '))
    const { publisher } = messaging.connect(host)
    const desk = { ...this.#open(host), publisher: async () => publisher, print: () => {}, user: host.name }
    return new Promise((resolve) => {
      host.whenDead(() => resolve(1))
      command.run(args, desk as unknown as Desk).then(
        (code) => {
          resolve(code)
          host.die()
        },
        () => host.die(),
      )
    })
  }

  /** What the commands find in the database. */
  #open(host: Host) {
    const { store, database } = this.#world
    return {
      pauses: database.open(host, {
        pause: async (target: Pause) => {
          const wasStanding = await isStanding(store, target)
          store.pause(target)
          return !wasStanding
        },
        resume: async (target: Pause) => {
          const wasStanding = await isStanding(store, target)
          store.resume(target)
          return wasStanding
        },
      }),
      letters: database.open(host, {
        find: async (filter: LetterFilter) => this.#find(filter),
        read: async (found: LetterRef[]) => found.flatMap((ref) => this.#now(ref) ?? []),
        markRequeued: async (letter: LetterRecord) => this.#markRequeued(letter),
      }),
    }
  }

  /** In memory their order is that in which they were accepted. */
  async #find({ code, kind, actor }: LetterFilter) {
    const { store } = this.#world
    const pauses = await store.readPauses()
    const isHeld = (letter: DeadLetter): boolean => {
      const names = [letter.kind, `${letter.kind}.${letter.actorId}`]
      return pauses.some(({ target, name }) => target !== 'service' && names.includes(name))
    }
    return store.deadLetters.map(asRecord(store)).filter((letter) => {
      const isMeant = letter.code === code && letter.kind === kind && (!actor || letter.actorId === actor.id)
      return isMeant && letter.status === 'open' && !isHeld(letter)
    })
  }

  #now(ref: LetterRef) {
    const { store } = this.#world
    return store.deadLetters.map(asRecord(store)).find(({ messageId, partition }) => {
      return messageId === ref.messageId && partition === ref.partition
    })
  }

  #markRequeued(letter: LetterRecord): string {
    const { store, faults } = this.#world
    // It may have been set aside again meanwhile.
    if (this.#now(letter)?.revision !== letter.revision) return 'open'
    store.settle(letter, 'requeued')
    faults.sightings.note('message sent back by a resume')
    return 'requeued'
  }
}

const isStanding = async (store: MemoryStore, { target, name }: Pause): Promise<boolean> =>
  (await store.readPauses()).some((pause) => pause.target === target && pause.name === name)

/** A letter that comes again has another revision. */
const asRecord = (store: MemoryStore) => (letter: StoredLetter) => ({
  ...letter,
  revision: letter.attempts,
  status: store.statusOf(letter),
})
