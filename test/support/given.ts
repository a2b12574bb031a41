import assert from 'node:assert/strict'
import type { Actor, Context, Decision, Tagged } from '../../src/actor/actor.ts'
import { deriveId } from '../../src/actor/ids.ts'
import { fold } from '../../src/actor/turn.ts'

/**
 * The story of one turn: what happened before, what comes, what the actor decides.
 *
 *     given(show, created).when({ type: 'ReserveSeats', … }).then({ events: […] })
 */
export function given<S, M extends Tagged, E extends Tagged>(actor: Actor<S, M, E>, ...history: E[]) {
  const state = fold(actor, actor.initial, history) as S
  return {
    state,
    when(message: M, context: Partial<Context> = {}) {
      const decision = decide(actor, state, message, { ...anyContext, ...context })
      return {
        decision,
        then(expected: Decision<E>): void {
          assert.deepEqual(decision, expected)
        },
        /** Only the outcome matters. */
        thenRefused(code: string): void {
          assert.equal('refuse' in decision && decision.refuse, code)
        },
        thenIgnored(): void {
          assert.ok('ignore' in decision, `decided ${JSON.stringify(decision)}`)
        },
        get stateAfter(): S {
          return fold(actor, state, 'events' in decision ? decision.events : []) as S
        },
      }
    },
  }
}

export const anyContext: Context = {
  id: '01900000-0000-7000-8000-00000000000a',
  messageId: '01900000-0000-7000-8000-00000000000b',
  at: '2026-01-02T03:04:05.000Z',
  deadlines: { bookingMs: 900_000, bundleStepMs: 600_000 },
  childId: (name) => deriveId('01900000-0000-7000-8000-00000000000a', name),
}

function decide<S, M extends Tagged, E extends Tagged>(actor: Actor<S, M, E>, state: S, message: M, context: Context) {
  const handler = actor.decide[message.type as M['type']] as (state: S, message: M, context: Context) => Decision<E>
  return handler(state, message, context)
}
