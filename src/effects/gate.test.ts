import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { until } from '../../test/support/wait.ts'
import { systemClock } from '../clock.ts'
import { silent } from './effects.fixtures.ts'
import { Gate } from './gate.ts'
import type { Outcome } from './outcome.ts'

const good: Outcome = { tell: { type: 'PaymentRefunded' } }
const bad: Outcome = { temporary: '503', retryAfterMs: 0 }
const openMs = 200
const options = { service: 'payments', concurrency: 8, openMs, clock: systemClock, log: silent }

function aGate(t: { after(stop: () => void): void }, callsPerSecond = 100_000) {
  const limits: number[] = []
  const limit = (most: number) => void limits.push(most)
  const circuit: boolean[] = []
  const observer = { circuit: (_: string, isOpen: boolean) => void circuit.push(isOpen) }
  const gate = new Gate({ ...options, callsPerSecond, limit, observer })
  t.after(() => gate.close())
  let calls = 0
  const pass = (outcome: Outcome | (() => Promise<Outcome>)) =>
    gate.pass(async () => {
      calls += 1
      return typeof outcome === 'function' ? outcome() : outcome
    })
  return { gate, limits, circuit, pass, calls: () => calls }
}

const inARow = 5
/** Four effects in hand for each call that may be under way. */
const most = 32

test('five failures in a row open the circuit; a success between them does not let it come to that', async (t) => {
  const { pass, limits } = aGate(t)
  for (let index = 1; index < inARow; index++) assert.deepEqual(await pass(bad), bad)
  await pass(good)
  for (let index = 1; index < inARow; index++) await pass(bad)
  assert.deepEqual(limits, [])
  await pass(bad)
  assert.deepEqual(limits, [0])
})

test('a final no is an answer, and no failure', async (t) => {
  const { pass, limits } = aGate(t)
  for (let index = 0; index < 20; index++) await pass({ refused: 'never', tell: undefined })
  assert.deepEqual(limits, [])
})

test('while it is open nothing is called and what is in hand waits; then one call decides', async (t) => {
  const { pass, limits, circuit, calls } = aGate(t)
  for (let index = 0; index < inARow; index++) await pass(bad)
  assert.deepEqual(circuit, [false, true])
  const openedMs = performance.now()

  let answer: (outcome: Outcome) => void = () => {}
  const deciding = new Promise<Outcome>((resolve) => {
    answer = resolve
  })
  const waiting = Array.from({ length: 4 }, () => pass(() => deciding))
  await until('one call tries', () => calls() === inARow + 1)
  assert.ok(performance.now() - openedMs >= openMs - 5)
  await until('one effect may be taken', () => limits.length === 2)
  await sleep(openMs / 2)
  assert.equal(calls(), inARow + 1, 'the others wait for what becomes of the one')

  answer(good)
  assert.deepEqual(await Promise.all(waiting), [good, good, good, good])
  assert.equal(calls(), inARow + 4)
  assert.deepEqual(limits, [0, 1, most])
  assert.deepEqual(circuit, [false, true, false])
})

test('when the one call fails it opens again, and the others go on waiting', async (t) => {
  const { pass, limits, calls } = aGate(t)
  for (let index = 0; index < inARow; index++) await pass(bad)
  const next = [bad, bad, good]
  const waiting = next.map(() => pass(async () => next.shift() ?? good))
  assert.equal((await Promise.all(waiting)).filter((outcome) => outcome === bad).length, 2)
  assert.equal(calls(), inARow + 3)
  assert.deepEqual(withoutTries(limits), [0, 0, 0, most])
})

/** Those in hand look for themselves when a circuit may be tried, and may be faster than the one that is taken for it. */
const withoutTries = (limits: number[]): number[] => limits.filter((most) => most !== 1)

test('closing lets go of those who wait, without a call', async (t) => {
  const { gate, pass, calls } = aGate(t)
  for (let index = 0; index < inARow; index++) await pass(bad)
  const waiting = pass(good)
  await setImmediate()
  gate.close()
  assert.equal(await waiting, undefined)
  assert.equal(await pass(good), undefined)
  assert.equal(calls(), inARow)
})

test('no more calls a second than the limit, and not many fewer', async (t) => {
  const { pass, calls } = aGate(t, 200)
  const startedMs = performance.now()
  await Promise.all(Array.from({ length: 120 }, () => pass(good)))
  const elapsedMs = performance.now() - startedMs
  assert.equal(calls(), 120)
  // A tenth of a second's worth may come at once.
  assert.ok(elapsedMs >= (120 - 20 - 1) * 5 - 10, `${elapsedMs} ms`)
  assert.ok(elapsedMs < 1_500, `${elapsedMs} ms`)
})

test('a limit that aborts gives up those who wait', async (t) => {
  const { gate, pass, calls } = aGate(t, 1)
  await pass(good)
  const waiting = pass(good)
  gate.close()
  assert.equal(await waiting, undefined)
  assert.equal(calls(), 1)
})

test('a pause lets calls under way end, and keeps those that come', async (t) => {
  const { gate, pass, limits, calls } = aGate(t)
  let answer: (outcome: Outcome) => void = () => {}
  const underWay = pass(() => new Promise((resolve) => (answer = resolve)))
  await until('it is called', () => calls() === 1)
  gate.pause(true)
  gate.pause(true)
  assert.deepEqual([limits, gate.allowed], [[0], 0])
  const held = pass(good)
  answer(good)
  assert.equal(await underWay, good)
  await sleep(openMs)
  assert.equal(calls(), 1)

  gate.pause(false)
  assert.equal(await held, good)
  assert.deepEqual([limits, gate.allowed], [[0, most], most])
})

test('a circuit that opens and tries again does not end a pause', async (t) => {
  const { gate, pass, limits, calls } = aGate(t)
  for (let index = 1; index < inARow; index++) await pass(bad)
  let answer: (outcome: Outcome) => void = () => {}
  const last = pass(() => new Promise((resolve) => (answer = resolve)))
  await until('it is called', () => calls() === inARow)
  gate.pause(true)
  answer(bad)
  await last
  const held = pass(good)
  await sleep(openMs * 2)
  assert.deepEqual([limits, calls()], [[0], inARow])

  gate.pause(false)
  assert.equal(await held, good)
  assert.deepEqual(limits, [0, 1, most])
})

test('the end of a pause does not close a circuit', async (t) => {
  const { gate, pass, limits, calls } = aGate(t)
  for (let index = 0; index < inARow; index++) await pass(bad)
  gate.pause(true)
  gate.pause(false)
  assert.deepEqual(limits, [0, 0, 0])
  const waiting = pass(bad)
  await setImmediate()
  assert.equal(calls(), inARow)
  await waiting
  assert.deepEqual(withoutTries(limits), [0, 0, 0, 0])
})

test('closing lets go of those whom a pause holds, without a call', async (t) => {
  const { gate, pass, calls } = aGate(t)
  gate.pause(true)
  const held = pass(good)
  await setImmediate()
  gate.close()
  assert.equal(await held, undefined)
  assert.equal(calls(), 0)
})

test('who does not wait for a shut gate goes through while it is open, and else is turned away', async (t) => {
  const { gate, pass } = aGate(t)
  const passWhileOpen = () => gate.passWhileOpen(async () => good)
  assert.deepEqual([gate.isOpen, await passWhileOpen()], [true, good])
  gate.pause(true)
  assert.deepEqual([gate.isOpen, await passWhileOpen()], [false, undefined])
  gate.pause(false)
  for (let index = 0; index < inARow; index++) await pass(bad)
  assert.deepEqual([gate.isOpen, await passWhileOpen()], [false, undefined])
  gate.close()
  assert.equal(await passWhileOpen(), undefined)
})

test('no more calls are under way than may be, whichever way they came', async (t) => {
  const { gate, pass, calls } = aGate(t)
  let answer: (outcome: Outcome) => void = () => {}
  const hanging = new Promise<Outcome>((resolve) => {
    answer = resolve
  })
  const patient = Array.from({ length: options.concurrency }, () => pass(() => hanging))
  let others = 0
  const impatient = gate.passWhileOpen(async () => {
    others += 1
    return good
  })
  await until('all places are taken', () => calls() === options.concurrency)
  await setImmediate()
  assert.equal(others, 0)
  answer(good)
  assert.deepEqual(await Promise.all([...patient, impatient]), Array(options.concurrency + 1).fill(good))
})

test('who waits for a place when the gate closes is turned away', async (t) => {
  const { gate, pass, calls } = aGate(t)
  for (let index = 0; index < options.concurrency; index++) void pass(() => new Promise(() => {}))
  await until('all places are taken', () => calls() === options.concurrency)
  const waiting = [pass(good), gate.passWhileOpen(async () => good)]
  gate.close()
  assert.deepEqual(await Promise.all(waiting), [undefined, undefined])
})

test('who waits out a pause holds no place: who does not wait is turned away at once', async (t) => {
  const { gate, pass } = aGate(t)
  gate.pause(true)
  const waiting = Array.from({ length: options.concurrency }, () => pass(good))
  await setImmediate()
  assert.equal(await gate.passWhileOpen(async () => good), undefined)
  gate.pause(false)
  assert.deepEqual(await Promise.all(waiting), Array(options.concurrency).fill(good))
})
