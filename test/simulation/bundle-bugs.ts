import { bundle } from '../../actors/bundle.ts'
import type { BundleState } from '../../schemas/bundle.ts'
import type { Call } from '../../schemas/index.ts'
import type { AnyActor } from '../../src/actor/actor.ts'
import { replace } from './plant.ts'
import type { Bug } from './simulation.ts'

/** What the process of a bundle can get wrong. */
export const bundleBugs = {
  'a bundle does not ask for what is to be undone': { patch: () => forgettingToUndo(() => true) },
  'a bundle does not undo what turns out booked after its end': {
    patch: () => forgettingToUndo(({ status }) => status === 'failed'),
  },
  'a bundle has no deadline': { patch: () => replace(bundle, 'alarm', () => undefined) },
} satisfies Record<string, Bug>

const anyBundle = bundle as AnyActor
const undoing: Call['request']['type'][] = ['CancelFlightTickets', 'CancelTaxi']

function forgettingToUndo(when: (state: BundleState) => boolean): () => void {
  const handlers = Object.entries(anyBundle.decide).map(([type, decide]): [string, typeof decide] => [
    type,
    (state, message, context) => {
      const decision = decide(state, message, context)
      if (!('then' in decision) || !when(state)) return decision
      const then = decision.then?.filter((intent) => !('call' in intent && undoing.includes(intent.request.type)))
      return { ...decision, ...(then && { then }) }
    },
  ])
  return replace(anyBundle, 'decide', Object.fromEntries(handlers))
}
