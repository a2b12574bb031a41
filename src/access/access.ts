import { isIP } from 'node:net'
import type { Config } from '../config.ts'
import type { Log } from '../engine/ports.ts'
import { TurnstileError } from '../errors.ts'
import { isApiKey } from './api-keys.ts'
import { openKeyFile } from './key-file.ts'
import type { Caller, Denial } from './roles.ts'
import type { Tokens } from './tokens.ts'

/** How callers are told apart. */
export type Access = {
  /**
   * Who it is, by the header `Authorization`. Without this function nobody is asked.
   *
   * @throws `issuer-unavailable`
   */
  identify?: (authorization: string | undefined, nowMs: number) => Caller | Denial | Promise<Caller | Denial>
  /** Without any, webhooks need no signature. */
  webhookSecrets: readonly Buffer[]
  close(): void
}

/** Anyone may do anything. */
export const openToAll: Access = { webhookSecrets: [], close() {} }

type Settings = Pick<
  Config,
  | 'HOST'
  | 'TURNSTILE_AUTH'
  | 'TURNSTILE_API_KEYS_FILE'
  | 'TURNSTILE_JWT_ISSUER'
  | 'TURNSTILE_JWT_AUDIENCE'
  | 'TURNSTILE_JWT_JWKS_URL'
  | 'TURNSTILE_JWT_ALGORITHMS'
  | 'TURNSTILE_JWT_CLOCK_TOLERANCE_S'
  | 'TURNSTILE_JWT_ROLES_CLAIM'
  | 'TURNSTILE_WEBHOOK_SECRETS'
>

/**
 * @throws `config-invalid` when the key file cannot be used; or when callers from beyond this machine would be let in without
 *   being asked, and nobody has said that they may
 */
export async function openAccess(settings: Settings, log: Log): Promise<Access> {
  const { TURNSTILE_API_KEYS_FILE: path, TURNSTILE_WEBHOOK_SECRETS: webhookSecrets = [] } = settings
  const tokens = await tokensBy(settings)
  if (path === undefined && !tokens) {
    checkExposure(settings)
    return { ...openToAll, webhookSecrets }
  }
  const file = path === undefined ? undefined : await openKeyFile(path, log)
  return {
    identify(authorization, nowMs) {
      if (authorization === undefined) return { denied: 'an API key or a token is required', isAnonymous: true }
      const credential = /^Bearer +([\w.~+/-]+=*) *$/i.exec(authorization)?.[1]
      if (credential === undefined) return { denied: 'Authorization must be Bearer, and an API key or a token' }
      if (isApiKey(credential)) return file?.keys.find(credential, nowMs) ?? { denied: 'API keys are not taken here' }
      return tokens?.find(credential, nowMs) ?? { denied: 'it is no API key' }
    },
    webhookSecrets,
    close: () => file?.close(),
  }
}

/** Where no issuer is named, what verifies tokens is not even loaded. */
async function tokensBy(settings: Settings): Promise<Tokens | undefined> {
  const { TURNSTILE_JWT_ISSUER: issuer, TURNSTILE_JWT_AUDIENCE: audience, TURNSTILE_JWT_JWKS_URL: jwksUrl } = settings
  if (issuer === undefined || audience === undefined || jwksUrl === undefined) return undefined
  const { Tokens } = await import('./tokens.ts')
  return new Tokens({
    issuer,
    audience,
    jwksUrl,
    algorithms: settings.TURNSTILE_JWT_ALGORITHMS,
    clockToleranceS: settings.TURNSTILE_JWT_CLOCK_TOLERANCE_S,
    rolesClaim: settings.TURNSTILE_JWT_ROLES_CLAIM,
  })
}

function checkExposure({ HOST, TURNSTILE_AUTH }: Settings): void {
  if (TURNSTILE_AUTH === 'none' || isLoopback(HOST)) return
  throw new TurnstileError(
    'config-invalid',
    `HOST ${HOST} is reachable from beyond this machine, and nobody who asks would have to say who it is: set ` +
      'TURNSTILE_API_KEYS_FILE, or TURNSTILE_JWT_ISSUER and what belongs to it, or TURNSTILE_AUTH=none if anyone may do anything',
  )
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
