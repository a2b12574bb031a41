import { type ApiKey, isExpired, makeKey, parseKeys, printKeys } from '../access/api-keys.ts'
import { callerRoles, isCallerRole } from '../access/roles.ts'
import { misused, parseDuration } from '../commands/options.ts'
import type { Desk } from './desk.ts'

export type CreateOptions = { role: string[]; expires?: string | undefined; overlap?: string | undefined }

/** @throws `config-invalid` when a role, a time or the name is none */
export function create(name: string, { role, expires, overlap }: CreateOptions, desk: Desk): void {
  const roles = role.filter(isCallerRole)
  if (roles.length === 0 || roles.length < role.length)
    throw misused(`a key needs --role, each one of ${callerRoles.join(', ')}`)
  const older = parseKeys(desk.read())
  const expiresAt = inFuture(desk, '--expires', expires)
  const endsAt = inFuture(desk, '--overlap', overlap)
  const { key, sha256 } = makeKey(name)
  const added = { name, roles, ...(expiresAt !== undefined && { expires_at: expiresAt }), sha256 }
  const text = printKeys([...older.map((known) => endedBy(known, name, endsAt)), added])
  // A name that cannot be read again would lock everybody out.
  parseKeys(text)
  desk.write(text)
  desk.say('The key is shown this once:\n')
  desk.print(`${key}\n`)
}

/** An older key of this name ends by then; one that ends sooner anyway still does. */
function endedBy(key: ApiKey, name: string, endsAt: string | undefined): ApiKey {
  if (key.name !== name || endsAt === undefined) return key
  return key.expires_at !== undefined && key.expires_at < endsAt ? key : { ...key, expires_at: endsAt }
}

export function list(desk: Desk): void {
  const keys = parseKeys(desk.read())
  for (const key of keys) {
    const until = key.expires_at === undefined ? 'until revoked' : `until ${key.expires_at}`
    const state = isExpired(key, desk.nowMs) ? 'expired' : 'good'
    desk.print(`${key.name}  ${key.roles.join(',')}  ${state} ${until}  sha256 ${key.sha256.slice(0, 12)}\n`)
  }
  desk.say(keys.length === 0 ? 'There is no key.\n' : '')
}

/** @throws `config-invalid` when there is no key of this name */
export function revoke(name: string, desk: Desk): void {
  const keys = parseKeys(desk.read())
  const others = keys.filter((key) => key.name !== name)
  if (others.length === keys.length) throw misused(`there is no key of the name ${name}`)
  desk.write(printKeys(others))
  desk.say(`Revoked: ${keys.length - others.length} of ${name}.\n`)
}

function inFuture({ nowMs }: Desk, option: string, text: string | undefined): string | undefined {
  const seconds = parseDuration(option, text)
  return seconds === undefined ? undefined : new Date(nowMs + seconds * 1_000).toISOString()
}
