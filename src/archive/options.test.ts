import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import { parseOptions } from './options.ts'

test('a run is told how old, and where to', () => {
  const options = parseOptions(['--older-than', '90d', '--to', 'archive', '--partition', '7'], 7)
  assert.deepEqual(options, {
    ...{ olderThanMs: 90 * 86_400_000, folder: path.resolve('archive'), partition: 7, isDryRun: false, isJson: false },
  })
  assert.equal(parseOptions(['--older-than', '90d', '--dry-run'], 7).isDryRun, true)
})

for (const [args, message] of [
  [['--to', 'archive'], /takes --older-than/],
  [['--older-than', '90d'], /takes --to/],
  [['--older-than', '6d', '--to', 'archive'], /must be 7d or more: .*TURNSTILE_REPEAT_DAYS/],
  [['--older-than', 'long', '--to', 'archive'], /--older-than must be a time like/],
  [['--older-than', '9d', '--to', 'archive', '--partition', 'all'], /--partition must be/],
] as [string[], RegExp][])
  test(`${args.join(' ')} is refused`, () => {
    assert.throws(() => parseOptions(args, 7), { code: 'config-invalid', message })
  })
