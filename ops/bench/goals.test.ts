import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aRun, someFigures } from './figures.fixtures.ts'
import { judge } from './goals.ts'
import { report } from './report.ts'

const uniform = (perSecond: number, subject: 'turnstile' | 'one-statement' = 'turnstile') =>
  aRun({ perSecond, subject })

test('a goal is held against the median of all rounds, as a ratio to the yardstick of the same run', () => {
  const rounds = [uniform(900), uniform(7_000), uniform(6_600)]
  const yardstick = [uniform(5_000, 'one-statement'), uniform(5_000, 'one-statement'), uniform(100, 'one-statement')]
  const verdicts = judge(someFigures(...rounds, ...yardstick))
  assert.deepEqual(
    verdicts.filter(({ goal }) => goal.startsWith('uniform')),
    [
      { goal: 'uniform: bookings/s at least 6,000 bookings/s', measured: '6,600 bookings/s', isMet: true },
      { goal: 'uniform: times the yardstick in one statement at least 1.20 ×', measured: '1.32 ×', isMet: true },
    ],
  )
})

test('a goal whose figures are missing is not judged, and one that is missed is told', () => {
  const verdicts = judge(someFigures(uniform(5_000)))
  assert.deepEqual(
    verdicts.map(({ goal, isMet }) => [goal.split(':')[0], isMet]),
    [
      ['uniform', false],
      ['CPU per booking of all server processes at most 250 µs', true],
    ],
  )
  assert.match(report(someFigures(uniform(5_000))), /^NOT MET {2}uniform: bookings\/s at least 6,000/m)
})

test('the costs of whoever asks are not among those of the servers', () => {
  const dear = { daemon: 150, postgres: 60, nats: 41, client: 5_000 }
  const [verdict] = judge(someFigures(aRun({ cpuMicroseconds: dear }))).filter(({ goal }) => goal.startsWith('CPU'))
  assert.equal(verdict?.measured, '251 µs')
  assert.equal(verdict?.isMet, false)
})

test('what came of requests that was not asked for is told', () => {
  assert.match(report(someFigures(aRun({ others: { 503: 7 } }))), /uniform, 64 connections: \{"503":7\}/)
})
