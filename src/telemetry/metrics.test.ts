import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMetrics } from './metrics.ts'

test('what the engine reports is in the text for Prometheus, in base units', async () => {
  const { registry, observer, httpRequest } = createMetrics()
  observer.committed(7, 5, 20)
  observer.called('files', 'done', 40)
  observer.circuit('files', true)
  observer.circuit('receipts', false)
  observer.duplicates(2)
  observer.fenced(3)
  observer.deadLetter('booking', 'turn-threw')
  observer.streamLost('effects')
  observer.redriven('calls', 5)
  observer.owned(64)
  observer.lag(11)
  observer.paused('service', 2)
  httpRequest('/shows', 'POST', 201, 0.004)
  const text = await registry.metrics()
  for (const line of [
    'turnstile_turns_total 7',
    'turnstile_batch_messages_sum 5',
    'turnstile_commit_seconds_sum 0.02',
    'turnstile_service_call_seconds_sum{service="files",outcome="done"} 0.04',
    'turnstile_service_circuit_open{service="files"} 1',
    'turnstile_service_circuit_open{service="receipts"} 0',
    'turnstile_duplicates_total 2',
    'turnstile_fence_losses_total 3',
    'turnstile_dead_letters_total{kind="booking",code="turn-threw"} 1',
    'turnstile_stream_losses_total{stream="effects"} 1',
    'turnstile_redriven_total{what="calls"} 5',
    'turnstile_partitions_owned 64',
    'turnstile_mailbox_lag_messages 11',
    'turnstile_paused{target="service"} 2',
    'turnstile_http_request_seconds_count{route="/shows",method="POST",status="201"} 1',
  ]) {
    assert.ok(text.split('\n').includes(line), line)
  }
  assert.match(text, /^process_cpu_seconds_total /m)
})

test('instances do not share their figures', async () => {
  const [one, other] = [createMetrics(), createMetrics()]
  one.observer.owned(1)
  assert.match(await other.registry.metrics(), /^turnstile_partitions_owned 0$/m)
})
