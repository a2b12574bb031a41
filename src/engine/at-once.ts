import type { Service } from '../../schemas/index.ts'
import { encode } from './batch.ts'
import type { EffectDelivery, Hands, Log, OutgoingEffect, Publisher } from './ports.ts'

/** Most likely the database is away. */
const rejectedRetryMs = 1_000

/**
 * Effects of turns that this process has committed go straight to hands of this process that are free: the broker would
 * store them only to hand them back. A turn is told when its effects are done, or are in the queue. So what is lost with
 * the process is told again by whoever takes the partition over, and may then be a repeat.
 *
 * Everything else goes by the queue: what no hand is free for, what is told again, and what failed, for its next attempt.
 */
export class AtOnce {
  readonly #hands = new Map<Service, Hands>()
  readonly #publisher: Pick<Publisher, 'publish'>
  readonly #nowMs: () => number
  readonly #log: Log

  /** @param nowMs milliseconds since 1970 */
  constructor(publisher: Pick<Publisher, 'publish'>, nowMs: () => number, log: Log) {
    this.#publisher = publisher
    this.#nowMs = nowMs
    this.#log = log
  }

  /** @returns what takes them back */
  readonly offer = (service: Service, hands: Hands): (() => void) => {
    this.#hands.set(service, hands)
    return () => void this.#hands.delete(service)
  }

  /** Nothing when it has to go by the queue; else resolves once it is done, or is in the queue all the same. */
  take(effect: OutgoingEffect): Promise<void> | undefined {
    const hands = this.#hands.get(effect.service)
    if (effect.mayBeRepeat || !hands?.areFree(effect.request.type)) return undefined
    return new Promise((resolve, reject) => {
      const retry = (delayMs: number): void => {
        const again = { ...effect, mayBeRepeat: true, nextAttemptMs: this.#nowMs() + delayMs }
        this.#publisher.publish([again]).then(resolve, reject)
      }
      hands.carryOut(deliveryOf(effect, resolve, retry)).catch((error) => {
        const { service, messageId } = effect
        this.#log.error({ service, messageId, err: error }, 'an effect was not handled; tried again shortly')
        retry(rejectedRetryMs)
      })
    })
  }
}

function deliveryOf(
  { service, messageId, address: actor, request, meta }: OutgoingEffect,
  done: () => void,
  retry: (delayMs: number) => void,
): EffectDelivery {
  return {
    service,
    messageId,
    actor,
    type: request.type,
    request,
    get payload() {
      return encode(request)
    },
    headers: {},
    meta,
    attempt: 1,
    mayBeRepeat: false,
    done: async () => done(),
    retry,
    working() {},
  }
}
