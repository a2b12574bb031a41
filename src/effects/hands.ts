import type { Clock, EffectDelivery, Hands } from '../engine/ports.ts'
import type { Gate } from './gate.ts'
import type { AnyAdapter } from './service.ts'

/** So many effects for each place at the service may be under way or in line past the queue, where other processes could take them. */
const maxInLineAPlace = 8
/** Of a service that takes longer than this no more is taken past the queue: while an effect is under way, its turn is not told. */
const promptMs = 1_000

type HandsOptions = {
  adapter: AnyAdapter
  gate: Pick<Gate, 'isOpen'>
  /** No more than a second's worth is in line. */
  callsPerSecond: number
  clock: Pick<Clock, 'monotonicMs'>
  carryOut(effect: EffectDelivery): Promise<void>
}

/**
 * The hands of one service for effects of this process's own turns. They take what the service will soon have done, and what
 * bears a key: what takes none is handed to one process at a time, by the queue.
 */
export function handsOf({ adapter, gate, callsPerSecond, clock, carryOut }: HandsOptions): Hands {
  const { concurrency, calls } = adapter
  const most = Math.min(concurrency * maxInLineAPlace, callsPerSecond)
  /** Since when, oldest first. */
  const inLine = new Map<EffectDelivery, number>()
  const isPrompt = (): boolean => {
    const [oldestMs = Number.POSITIVE_INFINITY] = inLine.values()
    return clock.monotonicMs() - oldestMs < promptMs
  }
  return {
    areFree: (type) => gate.isOpen && inLine.size < most && isPrompt() && !calls[type]?.readBack,
    async carryOut(effect) {
      inLine.set(effect, clock.monotonicMs())
      try {
        await carryOut(effect)
      } finally {
        inLine.delete(effect)
      }
    },
  }
}
