import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Costs, hotShowPerSecond, modelCosts, needsOf } from './model.ts'

const costs: Costs = {
  ingress: 60,
  workers: 120,
  postgres: 96,
  nats: 48,
  walBytes: 2_000,
  storedMessages: 5,
  storedBytes: 2_500,
}

test('what goes through the broker is all that does not stay with one of the workers', () => {
  const several = { ...costs, nats: 84 }
  assert.equal(modelCosts(costs, several, 4, 1).nats, 48)
  assert.equal(modelCosts(costs, several, 4, 4).nats, 84)
  assert.equal(modelCosts(costs, several, 4, 2).nats, 72)
  assert.equal(Math.round(modelCosts(costs, several, 4, 1e6).nats), 96)
})

test('pods are cores at the planned use, and cells what one stream or one database cannot take', () => {
  const needs = needsOf(10_000, costs)
  // 10,000 × 120 µs are 1.2 cores, and at 60 % two.
  assert.equal(needs.workerPods, 2)
  assert.equal(needs.ingressPods, 1)
  assert.equal(needs.cells, 1)
  const more = needsOf(1_000_000, costs)
  // 48 cores of NATS at 60 % are 80 streams; Postgres needs 10 servers and WAL 7.
  assert.equal(more.cells, 80)
  assert.equal(more.bound, 'mailbox stream')
  assert.equal(needsOf(1_000_000, { ...costs, nats: 1 }).bound, 'Postgres CPU')
  assert.equal(needsOf(1_000_000, { ...costs, nats: 1, postgres: 1 }).bound, 'WAL')
  assert.ok(more.partitions >= more.workerPods * 4)
})

test('a hot show is one thread', () => {
  assert.equal(hotShowPerSecond(60), 10_000)
})
