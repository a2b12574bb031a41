import assert from 'node:assert/strict'
import { actors } from '../../actors/index.ts'
import type { BookingState } from '../../schemas/booking.ts'
import type { BundleState } from '../../schemas/bundle.ts'
import type { Call, Kind } from '../../schemas/index.ts'
import type { ShowState } from '../../schemas/show.ts'
import type { Tagged } from '../../src/actor/actor.ts'
import { deriveId } from '../../src/actor/ids.ts'
import { type Turn, takeTurn } from '../../src/actor/turn.ts'
import { ModelServices, type Refusals, type TicketNews } from './model-services.ts'
import type { Chance } from './random.ts'

type Message = { kind: Kind; id: string; command: Tagged; messageId: string; atMs: number }
type Effect = { kind: Kind; id: string; request: Call['request']; key: string; stuckUntilMs: number }
type Item = Message | Effect

/** How bad the world is to one run. */
export type Weather = {
  capacity: number
  bookingMs: number
  bundleStepMs: number
  refusals: Refusals
  /** Of an attempt at a call: that it fails, before or after the service did what was asked. */
  failure: number
  /** Of a call: that nobody answers it for a long time. */
  stuck: number
  /** Of a message: that it comes a second time. */
  duplicate: number
}

type Published = { kind: Kind; id: string; event: Tagged }

const beginningMs = Date.parse('2026-01-01T00:00:00.000Z')
const aLongRun = 3_000

/**
 * All the real actors, as pure turns under a scheduler that goes by chance: any message or call that waits may be next,
 * whatever was first. A message id has one turn at its actor, and an alarm fires once its time has come, as the engine has it.
 */
export class ModelWorld {
  readonly published: Published[] = []
  readonly services: ModelServices
  readonly #turns: { message: Message; turn: Turn }[] = []
  readonly #states = new Map<string, unknown>()
  readonly #waiting: Item[] = []
  readonly #had = new Set<string>()
  readonly #alarms = new Map<string, { kind: Kind; id: string; atMs: number; command: Tagged }>()
  readonly #chance: Chance
  readonly #weather: Weather
  /** Things that somebody does from outside, and in which step. */
  readonly #acts: { step: number; act: () => void }[] = []
  #nowMs = beginningMs
  #steps = 0
  #madeIds = 0

  constructor(chance: Chance, weather: Weather) {
    this.#chance = chance
    this.#weather = weather
    this.services = new ModelServices(chance, weather.refusals, (news) => this.#hear(news))
  }

  stateOf<S>(kind: Kind, id: string): S {
    return (this.#states.get(`${kind}.${id}`) ?? actors[kind].initial) as S
  }

  /** All actors of a kind, by id. */
  all<S>(kind: Kind): [string, S][] {
    const own = [...this.#states].filter(([key]) => key.startsWith(`${kind}.`))
    return own.map(([key, state]) => [key.slice(kind.length + 1), state as S])
  }

  /** A command from outside. */
  send(kind: Kind, id: string, command: Tagged): void {
    this.#madeIds += 1
    this.#waiting.push({ kind, id, command, messageId: deriveId('outside', this.#madeIds), atMs: this.#nowMs })
  }

  /** What somebody does so many steps from now, or when all has come to rest before. */
  plan(step: number, act: () => void): void {
    this.#acts.push({ step: this.#steps + step, act })
  }

  happened(type: string): boolean {
    return this.#turns.some(({ turn }) => turn.events.some((event) => event.type === type))
  }

  /** The story, for whoever has to find out what went wrong. */
  tell(): string {
    const lines = this.#turns.map(({ message: { kind, id, command, atMs }, turn }) => {
      const outcome = turn.because ?? JSON.stringify(turn.events)
      return `${new Date(atMs).toISOString()} ${kind} ${id.slice(-4)} ${JSON.stringify(command)} → ${outcome}`
    })
    return lines.join('\n')
  }

  passTime(ms: number): void {
    this.#nowMs += ms
    for (const [key, alarm] of this.#alarms) if (alarm.atMs <= this.#nowMs) this.#fire(key)
  }

  /** Goes on until nothing waits: no message, no call, no alarm. @returns how many steps that took */
  run(): number {
    for (;;) {
      this.#steps += 1
      assert.ok(this.#steps < aLongRun, 'it never ends')
      const index = this.#acts.findIndex(({ step }) => step <= this.#steps)
      if (index >= 0) this.#acts.splice(index, 1)[0]?.act()
      else if (!this.#step() && !this.#actAtRest()) return this.#steps
    }
  }

  #step(): boolean {
    if (this.#waiting.length === 0) return this.#nextAlarm()
    const item = this.#chance.take(this.#waiting)
    if ('messageId' in item) this.#deliver(item)
    else if (item.stuckUntilMs > this.#nowMs) this.#waitFor(item)
    else this.#attempt(item)
    this.passTime(this.#chance.below(2_000))
    return true
  }

  #actAtRest(): boolean {
    const next = this.#acts.shift()
    next?.act()
    return next !== undefined
  }

  /** Nobody has anything to do before the next alarm. */
  #nextAlarm(): boolean {
    const next = Math.min(...[...this.#alarms.values()].map(({ atMs }) => atMs))
    if (next === Number.POSITIVE_INFINITY) return false
    this.passTime(Math.max(0, next - this.#nowMs))
    return true
  }

  /** Where only calls that nobody answers are left, time passes until the next thing happens. */
  #waitFor(effect: Effect): void {
    const isIdle = this.#waiting.every((item) => 'stuckUntilMs' in item && item.stuckUntilMs > this.#nowMs)
    this.#waiting.push(effect)
    if (!isIdle) return
    const ends = this.#waiting.flatMap((item) => ('stuckUntilMs' in item ? item.stuckUntilMs : []))
    const alarms = [...this.#alarms.values()].map(({ atMs }) => atMs)
    this.passTime(Math.min(...ends, ...alarms) - this.#nowMs)
  }

  #fire(key: string): void {
    const alarm = this.#alarms.get(key)
    if (!alarm) return
    this.#alarms.delete(key)
    const { kind, id, command, atMs } = alarm
    this.#waiting.push({ kind, id, command, messageId: deriveId(`alarm/${key}`, atMs), atMs: this.#nowMs })
  }

  #deliver(message: Message): void {
    if (this.#chance.hits(this.#weather.duplicate)) this.#waiting.push(message)
    const { kind, id, command, messageId, atMs } = message
    const key = `${kind}.${id}`
    if (this.#had.has(`${key}/${messageId}`)) return
    this.#had.add(`${key}/${messageId}`)
    const { bookingMs, bundleStepMs } = this.#weather
    const at = new Date(atMs).toISOString()
    const context = { id, messageId, at, deadlines: { bookingMs, bundleStepMs } }
    const turn = takeTurn(actors[kind], this.stateOf(kind, id), command, context, false)
    this.#turns.push({ message, turn })
    this.#states.set(key, turn.state)
    this.#setAlarm(kind, id, turn.state)
    for (const send of turn.sends) {
      const { id, command, messageId } = send
      this.#waiting.push({ kind: send.send, id, command, messageId, atMs: this.#nowMs })
    }
    for (const { request, messageId } of turn.calls) {
      if (!ModelServices.handles(request)) continue
      const isStuck = this.#chance.hits(this.#weather.stuck)
      const stuckUntilMs = isStuck ? this.#nowMs + this.#chance.below(4 * bundleStepMs) : 0
      this.#waiting.push({ kind, id, request, key: messageId, stuckUntilMs })
    }
    for (const { event } of turn.publishes) this.published.push({ kind, id, event })
    if (kind === 'show') checkCapacity(turn.state as ShowState)
    if (kind === 'bundle') this.#checkEnd(id, turn.events)
  }

  #setAlarm(kind: Kind, id: string, state: unknown): void {
    const alarm = actors[kind].alarm?.(state as never)
    const key = `${kind}.${id}`
    if (alarm) this.#alarms.set(key, { kind, id, atMs: Date.parse(alarm.at), command: alarm.command })
    else this.#alarms.delete(key)
  }

  /** A call may fail before the service did it, or after; then the same key comes again. */
  #attempt(effect: Effect): void {
    const { kind, id, request, key } = effect
    const isLost = this.#chance.hits(this.#weather.failure)
    if (isLost && this.#chance.hits(0.5)) {
      this.#waiting.push(effect)
      return
    }
    const command = this.services.perform(request, key)
    if (isLost) this.#waiting.push(effect)
    else this.#waiting.push({ kind, id, command, messageId: deriveId(key, 'outcome'), atMs: this.#nowMs })
  }

  #hear({ ticketId, bookingId, type }: TicketNews): void {
    const details = { booking_id: bookingId, customer_email: 'kate@example.com' }
    this.send('ticket', ticketId, { type, ...details, price: { amount: '50.30', currency: 'EUR' } } as Tagged)
  }

  /** A bundle says that it has failed only when all that it has heard of is undone, and its booking has come to rest. */
  #checkEnd(id: string, events: Tagged[]): void {
    const end = events.find(({ type }) => type === 'VipBundleFinalized_v1') as { success: boolean } & Tagged
    if (end === undefined) return
    const state = this.stateOf<Exclude<BundleState, { status: 'unknown' }>>('bundle', id)
    const booking = this.stateOf<BookingState>('booking', state.booking_id)
    const standings = 'tickets' in booking ? Object.values(booking.tickets) : []
    const heardOf = Object.values(state.parts).flatMap(({ ids }) => ids)
    const live = [...this.services.booked.values()].flatMap(({ live }) => [...live])
    if (end.success) {
      assert.deepEqual(live, heardOf)
      return
    }
    assert.deepEqual(
      heardOf.filter((id) => live.includes(id)),
      [],
      'what it knew of was undone before it failed',
    )
    // A ticket that comes after the booking's deadline may be under way to its refund again.
    if (!('deadline_at' in booking) || booking.deadline_at > new Date(this.#nowMs).toISOString()) {
      assert.ok(
        standings.every((standing) => standing === 'gone'),
        'its tickets were refunded before it failed',
      )
    }
  }
}

function checkCapacity(state: ShowState): void {
  if (state.status === 'on-sale') assert.ok(state.reserved >= 0 && state.reserved <= state.capacity, 'oversold')
}
