import type { Access } from '../access/access.ts'
import { type Rate, RateLimit } from '../access/rate-limit.ts'
import type { Caller, CallerRole, Denial } from '../access/roles.ts'
import { isSigned, readSignedHeaders } from '../access/webhook-signature.ts'
import { addressOf } from './address.ts'
import { Problem } from './problems.ts'
import type { Route } from './route.ts'
import type { Visit } from './visit.ts'

/** Looks at the body, before anything is made of it. @throws a Problem */
export type CheckBody = (body: Buffer) => void

/** Looks at who asks, before the body is read. @returns what is to look at that. @throws a Problem */
export type Check = (visit: Visit) => CheckBody | Promise<void>

/** Who sends the webhooks that are signed. */
const deadNation: Caller = { subject: 'webhook:dead-nation', roles: ['webhook'] }

/** Lets those through to a route that it is for, and not too often, before the body is read. */
export class Guard {
  readonly #access: Access
  readonly #rate: Rate | undefined
  readonly #limit: RateLimit | undefined

  /** @param rate how much one caller may ask; without, as much as it likes */
  constructor(access: Access, rate: Rate | undefined) {
    this.#access = access
    this.#rate = rate
    this.#limit = rate && new RateLimit(rate)
  }

  /** None where nothing is to be looked at, so that it costs nothing. */
  checkOf(route: Route): Check | undefined {
    const { roles } = route
    const isWebhook = route.isSigned === true
    if (roles === 'anyone') return undefined
    if (isWebhook && this.#access.webhookSecrets.length > 0) return (visit) => this.#expectSignature(visit)
    if (!this.#access.identify && !this.#limit) return undefined
    return (visit) => this.#identify(visit, roles, isWebhook)
  }

  async #identify(visit: Visit, roles: readonly CallerRole[], isUnlimited: boolean): Promise<void> {
    const { request } = visit
    const caller = await this.#access.identify?.(request.headers.authorization, Date.now())
    if (caller && 'denied' in caller) {
      this.#charge(addressOf(request), visit)
      throw unauthenticated(caller)
    }
    // What answers our own calls comes as often as we call.
    if (!isUnlimited) this.#charge(caller?.subject ?? addressOf(request), visit)
    if (caller && !roles.some((role) => caller.roles.includes(role))) throw forbidden(roles)
    visit.caller = caller
  }

  #expectSignature(visit: Visit): CheckBody {
    const { request } = visit
    const refuse = (reason: string): Problem => {
      this.#charge(addressOf(request), visit)
      return badSignature(reason)
    }
    const signed = readSignedHeaders(request.headers, Date.now())
    if ('denied' in signed) throw refuse(signed.denied)
    return (body) => {
      if (!isSigned(signed, body, this.#access.webhookSecrets)) throw refuse('no signature is of this body')
      visit.caller = deadNation
    }
  }

  /**
   * The fields are those of draft-ietf-httpapi-ratelimit-headers-10.
   *
   * @throws `too-many-requests`
   */
  #charge(caller: string, { headers }: Visit): void {
    if (!this.#limit || !this.#rate) return
    const { requests, seconds } = this.#rate
    const { isAllowed, remaining, resetS } = this.#limit.take(caller, performance.now())
    headers['RateLimit-Policy'] = `"caller";q=${requests};w=${seconds}`
    headers.RateLimit = `"caller";r=${remaining};t=${resetS}`
    if (isAllowed) return
    const detail = `more than ${requests} requests in ${seconds} s`
    throw new Problem('too-many-requests', detail, { headers: { 'Retry-After': String(resetS) } })
  }
}

const challenge = 'Bearer realm="turnstile"'

function unauthenticated({ denied, isAnonymous }: Denial): Problem {
  const fault = isAnonymous ? '' : `, error="invalid_token", error_description="${denied}"`
  return new Problem('unauthenticated', denied, { headers: { 'WWW-Authenticate': `${challenge}${fault}` } })
}

function forbidden(roles: readonly CallerRole[]): Problem {
  const fault = `, error="insufficient_scope", scope="${roles.join(' ')}"`
  const detail = `this is for the role ${roles.join(' or ')}`
  return new Problem('forbidden', detail, { headers: { 'WWW-Authenticate': `${challenge}${fault}` } })
}

function badSignature(reason: string): Problem {
  return new Problem('invalid-signature', reason, { headers: { 'WWW-Authenticate': 'Standard-Webhooks' } })
}
