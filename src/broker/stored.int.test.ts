import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testServer } from '../../test/support/environment.ts'
import { partitions, silent } from './broker.fixtures.ts'
import { openOn } from './nats.fixtures.ts'
import { openStoredMessages } from './stored.ts'

const url = testServer('TEST_NATS_URL')

test('what the streams hold is read page by page, and of one that never had a message there is nothing', async (t) => {
  const harness = await openOn(url)
  t.after(() => harness.close())
  const { prefix } = harness
  const stored = await openStoredMessages({ url, security: {}, prefix, partitions, log: silent })
  t.after(() => stored.close())
  const pages = async (): Promise<number[]> => {
    const sizes: number[] = []
    for await (const page of stored.read('events')) sizes.push(page.length)
    return sizes
  }
  assert.deepEqual(await pages(), [])
  const subject = `${prefix}.evt.show.some.SeatsReleased_v1`
  await Promise.all(Array.from({ length: 300 }, () => harness.publish(subject)))
  assert.deepEqual(await pages(), [256, 44])
})
