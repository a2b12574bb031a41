import type { z } from 'zod'
import { bundleState, type StepName } from '../../../schemas/bundle.ts'
import {
  bookVipBundleBody,
  type VipBundleView,
  vipBundleAccepted,
  vipBundleInitialized,
  vipBundleParams,
  vipBundleView,
} from '../../../schemas/http.ts'
import type { RequestTo } from '../../../schemas/index.ts'
import { transportationRequests } from '../../../schemas/services.ts'
import type { FailingCall } from '../../engine/ports.ts'
import { Problem } from '../problems.ts'
import { commandProblems, queryProblems, type Route } from '../route.ts'

export const bookVipBundle: Route<unknown, z.infer<typeof bookVipBundleBody>> = {
  method: 'POST',
  path: '/book-vip-bundle',
  group: 'VIP bundles',
  roles: ['customer', 'box-office'],
  summary: 'Book tickets of a show, two flights and a taxi',
  description:
    'Answers as soon as that is durably begun. All of it is booked in the end, or nothing: `VipBundleFinalized_v1` tells.',
  body: bookVipBundleBody,
  answer: { status: 201, description: 'The bundle is under way', schema: vipBundleInitialized },
  problems: commandProblems,
  handle: ({ body, askNew }) => askNew('bundle', { type: 'InitializeVipBundle', ...body }),
}

export const getVipBundle: Route<z.infer<typeof vipBundleParams>> = {
  method: 'GET',
  path: '/vip-bundles/{vip_bundle_id}',
  group: 'VIP bundles',
  roles: ['customer', 'box-office', 'operator'],
  summary: 'See where a VIP bundle stands, and why',
  params: vipBundleParams,
  answer: { status: 200, description: 'The bundle as it stands', schema: vipBundleView },
  problems: ['unknown-vip-bundle', ...queryProblems],
  async handle({ params: { vip_bundle_id }, findState, findFailingCalls }): Promise<VipBundleView> {
    const state = bundleState.parse((await findState('bundle', vip_bundle_id)) ?? { status: 'unknown' })
    if (state.status === 'unknown') {
      throw new Problem('unknown-vip-bundle', `there is no VIP bundle ${vip_bundle_id}`)
    }
    const calls = await findFailingCalls('bundle', vip_bundle_id)
    const names = state.steps.map(({ name }) => name)
    const steps = state.steps.map((step) => {
      const own = calls.filter((call) => stepOf(call, state.parts, names) === step.name)
      return { ...step, failing_calls: own.map(viewOf) }
    })
    const { is_booking_settled: _, ...shown } = state
    return { vip_bundle_id, ...shown, steps }
  },
}

export const cancelVipBundle: Route<z.infer<typeof vipBundleParams>> = {
  method: 'POST',
  path: '/vip-bundles/{vip_bundle_id}/cancel',
  group: 'VIP bundles',
  roles: ['customer', 'box-office', 'operator'],
  summary: 'Stop a VIP bundle, and undo what it has booked',
  description: 'Of one that is being undone already, or has failed, nothing more is done.',
  params: vipBundleParams,
  answer: { status: 202, description: 'It is being undone', schema: vipBundleAccepted },
  problems: ['unknown-vip-bundle', 'vip-bundle-succeeded', ...commandProblems],
  handle: ({ params: { vip_bundle_id }, ask }) => ask('bundle', vip_bundle_id, { type: 'CancelVipBundle' }),
}

type Parts = VipBundleView['parts']

/** The step that a call belongs to: what is undone after the end has none of its own, and is shown where it was booked. */
function stepOf({ request }: FailingCall, parts: Parts, steps: StepName[]): StepName | undefined {
  const schema = transportationRequests[request.type as RequestTo<'transportation'>['type']]
  const call = schema?.safeParse(request).data
  const candidates = call ? namesOf(call, parts) : []
  // A dead letter may hold no request that can be told.
  return candidates.find((name) => steps.includes(name)) ?? steps.at(-1)
}

function namesOf(call: RequestTo<'transportation'>, parts: Parts): StepName[] {
  switch (call.type) {
    case 'BookFlight':
      return [`${call.leg}-flight`]
    case 'BookTaxi':
      return ['taxi']
    case 'CancelTaxi':
      return ['undoing-taxi', 'taxi']
    case 'CancelFlightTickets': {
      const isReturn = parts['return-flight'].ids.includes(call.flight_ticket_id[0])
      return isReturn ? ['undoing-return-flight', 'return-flight'] : ['undoing-inbound-flight', 'inbound-flight']
    }
  }
}

const viewOf = ({ request, attempts, cause, at, isDeadLetter }: FailingCall) => ({
  request: request.type,
  attempts,
  last_error: cause,
  last_failed_at: at,
  is_dead_letter: isDeadLetter,
})
