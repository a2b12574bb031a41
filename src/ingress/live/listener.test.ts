import assert from 'node:assert/strict'
import { test } from 'node:test'
import { groupsOf } from './groups.ts'
import { Listener, type Told } from './listener.ts'
import type { Place } from './place.ts'

function listen(...places: Place[]) {
  const calls = { hungry: 0, closed: 0 }
  const listener = new Listener(
    places,
    () => calls.hungry++,
    () => calls.closed++,
  )
  return { listener, calls, read: () => String(listener.stream.read() ?? '') }
}

const turn = (turn: number, ...names: string[]): Told => {
  return { journal: 0, turn, events: names.map((name) => ({ name, data: { n: turn } })) }
}
const big = (turn: number): Told => {
  return { journal: 0, turn, events: [{ name: 'Big', data: { text: 'x'.repeat(20_000) } }] }
}
const idsIn = (text: string) => [...text.matchAll(/^id: (.+)\nevent:/gm)].map(([, id]) => id)

test('begins with the pause before coming back, and the id of where it begins', () => {
  assert.equal(listen({ turn: 40 }, { turn: 0 }).read(), 'retry: 1000\nid: 14_0\n\n')
})

test('tells events with their ids, names and data, each once', () => {
  const { listener, read } = listen({ turn: 2 })
  read()
  const turns = [turn(2, 'Old'), turn(3, 'One', 'Two'), turn(4), turn(5, 'Three')]
  listener.offer(turns)
  listener.offer(turns)
  const text =
    'id: 3.0\nevent: One\ndata: {"n":3}\n\nid: 3\nevent: Two\ndata: {"n":3}\n\nid: 5\nevent: Three\ndata: {"n":5}\n\n'
  assert.equal(read(), text)
})

test('goes on in the middle of a turn', () => {
  const { listener, read } = listen({ turn: 3, event: 0 })
  read()
  listener.offer([turn(3, 'One', 'Two')])
  assert.deepEqual(idsIn(read()), ['3'])
  assert.deepEqual(listener.places, [{ turn: 3 }])
})

test('has no more waiting for a slow client than its buffer, and goes on when it has read', async () => {
  const { listener, calls, read } = listen({ turn: 0 })
  const turns = Array.from({ length: 100 }, (_, index) => big(index + 1))
  listener.offer(turns)
  assert.equal(listener.canTake, false)
  assert.ok(listener.stream.readableLength < 100_000)
  listener.offer(turns)
  assert.ok(listener.stream.readableLength < 100_000)
  assert.equal(calls.hungry, 0)
  const ids = []
  while (ids.length < 100) {
    ids.push(...idsIn(read()))
    listener.offer(turns)
  }
  assert.ok(calls.hungry > 10)
  assert.deepEqual(
    ids,
    turns.map(({ turn }) => turn.toString(36)),
  )
})

test('gives a sign of life with the id of where it stands, also past turns that told nothing', () => {
  const { listener, read } = listen({ turn: 0 })
  read()
  listener.offer([turn(1), turn(2)])
  listener.beat()
  assert.equal(read(), ':\nid: 2\n\n')
})

test('lets a client go that has read nothing from one sign of life to the next, and no other', async () => {
  const { listener, calls, read } = listen({ turn: 0 })
  const turns = Array.from({ length: 20 }, (_, index) => big(index + 1))
  listener.offer(turns)
  listener.beat()
  read()
  listener.offer(turns)
  listener.beat()
  assert.equal(listener.stream.destroyed, false)
  listener.beat()
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(listener.stream.destroyed, true)
  assert.equal(calls.closed, 1)
})

test('at its end a quick client gets everything, a slow one is cut, and neither is told more', async () => {
  const quick = listen({ turn: 0 })
  const slow = listen({ turn: 0 })
  quick.read()
  const text = quick.listener.stream.setEncoding('utf8').toArray()
  for (const { listener } of [quick, slow]) listener.end()
  for (const { listener } of [quick, slow]) listener.offer([turn(1, 'Late')])
  assert.deepEqual(await text, [])
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual([quick.calls.closed, slow.calls.closed], [1, 1])
})

test('who is abreast shares a reading, whoever is ahead by a few in one journal and behind in another', () => {
  const at = (...turns: number[]) => listen(...turns.map((turn) => ({ turn }))).listener
  const [first, second, third, far, farther] = [at(100, 50), at(98, 51), at(95, 50), at(50, 50), at(49, 50)]
  const groups = groupsOf([far, third, farther, second, first], 5)
  assert.deepEqual(groups, [
    [first, second, third],
    [far, farther],
  ])
  assert.deepEqual(groupsOf([], 5), [])
})
