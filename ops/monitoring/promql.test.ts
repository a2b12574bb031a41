import assert from 'node:assert/strict'
import { test } from 'node:test'
import { namesIn, unknownNamesIn } from './promql.ts'

test('metrics are told from functions, words and labels', () => {
  const expression = `
    histogram_quantile(0.99, sum by (le, route) (rate(http_seconds_bucket{status!~"5..", job="a{b} or c"}[$__rate_interval])))
      / on (route) group_left sum without (pod) (max_over_time(limit[1h:5m] offset 1d)) > bool 1e3
      and ignoring (x) queue_length == inf unless topk(3, jobs{}) or turnstile:ratio:rate5m`
  assert.deepEqual(namesIn(expression), {
    metrics: [
      { name: 'http_seconds_bucket', labels: ['status', 'job'] },
      { name: 'limit', labels: [] },
      { name: 'queue_length', labels: [] },
      { name: 'jobs', labels: [] },
      { name: 'turnstile:ratio:rate5m', labels: [] },
    ],
    groupedBy: ['le', 'route', 'route', 'pod', 'x'],
  })
})

test('what cannot be read is said, and not passed over', () => {
  assert.throws(() => namesIn('{job="a"}'), /without a metric/)
  assert.throws(() => namesIn('rate(a[5m'), /no \]/)
})

test('what there is not is found', () => {
  const series = new Map([['calls_total', new Set(['service', 'instance'])]])
  const faults: [expression: string, ...found: string[]][] = [
    ['sum by (service) (rate(calls_total{instance=~"$instance"}[5m]))'],
    ['rate(call_total[5m])', 'there is no call_total'],
    ['calls_total{outcome="done"}', 'calls_total has no outcome'],
    ['sum by (outcome) (calls_total)', 'nothing in it has outcome'],
    ['vector(1)', 'it names no metric'],
  ]
  for (const [expression, ...found] of faults) assert.deepEqual(unknownNamesIn(expression, series), found, expression)
})
