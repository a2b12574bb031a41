import assert from 'node:assert/strict'
import { test } from 'node:test'
import { batchOf, turnOf } from '../store/store.fixtures.ts'
import { createMetrics } from './metrics.ts'

const row = { id: 0, epoch: 1, owner: 'anna', cursor: 0, stream: 's', head: 0, published: 0, armed: 0 }

test('what the engine reports is in the text for Prometheus, in base units', async () => {
  const { registry, observer, httpRequest, census, dependencies, effectsLag } = createMetrics()
  const turns = [turnOf({}), turnOf({}), turnOf({ decision: { outcome: 'refused' } })]
  observer.committed({ ...batchOf(row), turns }, 5, 20)
  observer.called('files', 'done', 40)
  observer.circuit('files', true)
  observer.circuit('receipts', false)
  observer.duplicates(2)
  observer.fenced(3)
  observer.deadLetter('booking', 'turn-threw')
  observer.deadLetter('opera', 'unknown-actor')
  observer.streamLost('effects')
  observer.redriven('calls', 5)
  observer.mailboxes([{ partition: 3, lag: 9, oldestAt: undefined, isOpen: true }])
  observer.mailboxes([
    { partition: 4, lag: 11, oldestAt: Date.now() - 60_000, isOpen: true },
    { partition: 5, lag: 0, oldestAt: undefined, isOpen: false },
  ])
  observer.took(8, 2)
  observer.untold(6, 1_500)
  observer.paused('service', 2)
  httpRequest('/shows', 'POST', 201, 0.004)
  census({
    workers: 2,
    unowned: 3,
    openLetters: [{ code: 'turn-threw', count: 4 }],
    failingCalls: [{ service: 'files', count: 5 }],
  })
  effectsLag('files', 12)
  dependencies({ postgres: () => true, nats: () => false })
  const text = await registry.metrics()
  for (const line of [
    'turnstile_turns_total{kind="booking",outcome="accepted"} 2',
    'turnstile_turns_total{kind="booking",outcome="refused"} 1',
    'turnstile_turns_total{kind="show",outcome="accepted"} 0',
    'turnstile_batch_messages_sum 5',
    'turnstile_commit_seconds_sum 0.02',
    'turnstile_service_call_seconds_sum{service="files",outcome="done"} 0.04',
    'turnstile_effects_lag_messages{service="files"} 12',
    'turnstile_service_circuit_open{service="files"} 1',
    'turnstile_service_circuit_open{service="receipts"} 0',
    'turnstile_duplicates_total 2',
    'turnstile_fence_losses_total 3',
    'turnstile_dead_letters_total{kind="booking",code="turn-threw"} 1',
    'turnstile_dead_letters_total{kind="other",code="unknown-actor"} 1',
    'turnstile_stream_losses_total{stream="effects"} 1',
    'turnstile_stream_losses_total{stream="mailbox"} 0',
    'turnstile_redriven_total{what="calls"} 5',
    'turnstile_partitions_owned 2',
    'turnstile_partitions_unread 1',
    'turnstile_mailbox_lag_messages{partition="4"} 11',
    'turnstile_mailbox_lag_messages{partition="5"} 0',
    'turnstile_takeovers_total{from="free"} 8',
    'turnstile_takeovers_total{from="expired"} 2',
    'turnstile_outbox_messages 6',
    'turnstile_outbox_oldest_seconds 1.5',
    'turnstile_workers 2',
    'turnstile_partitions_unowned 3',
    'turnstile_dead_letters_open{code="turn-threw"} 4',
    'turnstile_failing_calls{service="files"} 5',
    'turnstile_dependency_up{dependency="postgres"} 1',
    'turnstile_dependency_up{dependency="nats"} 0',
    'turnstile_paused{target="service"} 2',
    'turnstile_http_request_seconds_count{route="/shows",method="POST",status="201"} 1',
  ]) {
    assert.ok(text.split('\n').includes(line), line)
  }
  assert.match(text, /^turnstile_mailbox_oldest_seconds 60/m)
  assert.doesNotMatch(text, /partition="3"/, 'what another worker owns by now is its to tell of')
  assert.match(text, /^process_cpu_seconds_total /m)
})

test('instances do not share their figures', async () => {
  const [one, other] = [createMetrics(), createMetrics()]
  one.observer.mailboxes([{ partition: 0, lag: 0, oldestAt: undefined, isOpen: true }])
  assert.match(await other.registry.metrics(), /^turnstile_partitions_owned 0$/m)
})
