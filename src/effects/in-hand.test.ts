import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Time } from '../../test/simulation/time.ts'
import type { EffectDelivery } from '../engine/ports.ts'
import { aDelivery } from './effects.fixtures.ts'
import { InHand } from './in-hand.ts'

test('the queue hears of what takes long, for as long as it does', async () => {
  const time = new Time()
  const startMs = time.nowMs
  const passUntil = async (ms: number): Promise<void> => {
    while (time.nowMs - startMs < ms) await time.step()
  }
  const inHand = new InHand(time.clock())
  const heard = { short: 0, long: 0 }
  const delivery = (name: 'short' | 'long'): EffectDelivery => {
    return aDelivery('payments', { type: 'RefundPayment' }, { working: () => void heard[name]++ }).effect
  }
  let end = (): void => {}
  const long = inHand.while(delivery('long'), () => new Promise<void>((resolve) => (end = resolve)))
  await inHand.while(delivery('short'), async () => {})
  const idle = time.clock()
  void idle.sleep(100_000)
  await passUntil(30_000)
  assert.deepEqual(heard, { short: 0, long: 3 })
  end()
  await long
  await passUntil(100_000)
  assert.deepEqual(heard, { short: 0, long: 3 })
})
