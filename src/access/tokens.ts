import { hash } from 'node:crypto'
import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { TurnstileError } from '../errors.ts'
import { Recent } from './recent.ts'
import { type Caller, type Denial, isCallerRole } from './roles.ts'

export type TokenOptions = {
  issuer: string
  audience: string
  jwksUrl: string
  algorithms: string[]
  /** By how many seconds the clocks of issuer and server may differ. */
  clockToleranceS: number
  /** Where the roles are, as a path: `roles`, or `realm_access.roles`. A list, or words with blanks between. */
  rolesClaim: string
}

/** A key that the issuer has withdrawn is good for ten minutes at most, and one that it is new to is asked for at once, but no oftener than this. */
const jwksMaxAgeMs = 10 * 60_000
const jwksCooldownMs = 30_000
const jwksTimeoutMs = 3_000
/** An issuer that did not answer is not asked again for so long: requests must not queue up behind it. */
const unreachableForMs = 2_000
/** A verified token is taken at its word for so long, which spares the signature. */
const verifiedForMs = 60_000
const maxVerified = 10_000

/** As it can stand in a header of NATS and in the journal. */
const subjectPattern = /^[\x21-\x7e]{1,250}$/

/** Looks callers up by their JSON Web Tokens. */
export class Tokens {
  readonly #options: TokenOptions
  readonly #keys: JWTVerifyGetKey
  readonly #verified = new Recent<{ caller: Caller; untilMs: number }>(maxVerified)
  #unreachableUntilMs = 0

  /** @param keys for tests; else those that the issuer publishes */
  constructor(options: TokenOptions, keys?: JWTVerifyGetKey) {
    this.#options = options
    const limits = {
      cacheMaxAge: jwksMaxAgeMs,
      cooldownDuration: jwksCooldownMs,
      timeoutDuration: jwksTimeoutMs,
    }
    this.#keys = keys ?? createRemoteJWKSet(new URL(options.jwksUrl), limits)
  }

  /** @throws `issuer-unavailable` when its keys are needed and cannot be had */
  async find(token: string, nowMs: number): Promise<Caller | Denial> {
    const digest = hash('sha256', token, 'base64url')
    const known = this.#verified.get(digest)
    if (known && known.untilMs > nowMs) return known.caller
    if (nowMs < this.#unreachableUntilMs) throw unavailable(this.#options)
    try {
      const { issuer, audience, algorithms, clockToleranceS } = this.#options
      const { payload } = await jwtVerify(token, this.#keys, {
        issuer,
        audience,
        algorithms,
        clockTolerance: clockToleranceS,
        currentDate: new Date(nowMs),
        requiredClaims: ['sub', 'exp'],
      })
      return this.#remember(digest, payload, nowMs)
    } catch (error) {
      const denied = denialOf(error)
      if (denied) return { denied }
      this.#unreachableUntilMs = nowMs + unreachableForMs
      throw unavailable(this.#options, error)
    }
  }

  #remember(digest: string, payload: JWTPayload, nowMs: number): Caller | Denial {
    const subject = `jwt:${payload.iss}#${payload.sub}`
    if (!subjectPattern.test(subject)) return { denied: 'its iss and sub are too long, or not printable ASCII' }
    const { rolesClaim, clockToleranceS } = this.#options
    const caller = { subject, roles: rolesIn(payload, rolesClaim) }
    const expiresMs = ((payload.exp ?? 0) + clockToleranceS) * 1_000
    this.#verified.set(digest, { caller, untilMs: Math.min(expiresMs, nowMs + verifiedForMs) })
    return caller
  }
}

/** Roles that are not ours belong to other services. */
function rolesIn(payload: JWTPayload, claim: string) {
  let value: unknown = payload
  for (const name of claim.split('.')) value = (value as Record<string, unknown> | null | undefined)?.[name]
  const words = typeof value === 'string' ? value.split(' ') : Array.isArray(value) ? value : []
  return words.filter(isCallerRole)
}

/** What is wrong with the token; nothing when it is the issuer's keys that are missing. */
function denialOf(error: unknown): string | undefined {
  if (!(error instanceof errors.JOSEError)) return undefined
  switch (error.code) {
    case 'ERR_JOSE_GENERIC':
    case 'ERR_JWKS_TIMEOUT':
    case 'ERR_JWKS_INVALID':
      return undefined
    case 'ERR_JWT_EXPIRED':
      return 'the token has expired'
    case 'ERR_JWT_CLAIM_VALIDATION_FAILED':
      return `the claim ${(error as errors.JWTClaimValidationFailed).claim} of the token is missing or not what it must be`
    case 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED':
    case 'ERR_JWKS_NO_MATCHING_KEY':
      return 'the token is not signed by the issuer'
    case 'ERR_JOSE_ALG_NOT_ALLOWED':
      return 'the token is signed by an algorithm that is not taken here'
    default:
      return 'it is no token that can be read'
  }
}

const unavailable = ({ jwksUrl }: TokenOptions, cause?: unknown): TurnstileError =>
  new TurnstileError('issuer-unavailable', `the keys of the token issuer cannot be had from ${jwksUrl}`, { cause })
