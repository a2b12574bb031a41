import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { TurnstileError } from '../errors.ts'
import { type Caller, callerRoles, type Denial } from './roles.ts'

/**
 * API keys. A key is `tsk_<name>_<secret>`; the secret has 256 random bits, so a plain SHA-256 of the key tells nothing about
 * it, and costs a request two microseconds. Only the digest is kept: a line of JSON for each key. Several lines may have the
 * same name, which is how an old key and a new one are good at the same time.
 */
const keyLine = z.strictObject({
  name: z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/, 'must be lower-case letters, digits and dashes'),
  roles: z.array(z.enum(callerRoles)).min(1),
  /** Without, it is good until it is revoked. */
  expires_at: z.iso.datetime().optional(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits'),
})

export type ApiKey = z.infer<typeof keyLine>

const prefix = 'tsk_'

export const isApiKey = (text: string): boolean => text.startsWith(prefix)

/** A new key, which nobody can be shown again, and the digest to keep. */
export function makeKey(name: string): { key: string; sha256: string } {
  const key = `${prefix}${name}_${randomBytes(32).toString('base64url')}`
  return { key, sha256: digestOf(key) }
}

/**
 * Reads the lines of a key file. Empty ones mean nothing.
 *
 * @throws `config-invalid` that names every faulty line, and shows none
 */
export function parseKeys(text: string): ApiKey[] {
  const faults: string[] = []
  const keys = text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return []
    const parsed = keyLine.safeParse(parseJson(line))
    if (parsed.success) return [parsed.data]
    const [issue] = parsed.error.issues
    faults.push(`  line ${index + 1}: ${[...(issue?.path ?? []), issue?.message].join(' ')}`)
    return []
  })
  if (faults.length > 0)
    throw new TurnstileError('config-invalid', `The key file cannot be used:\n${faults.join('\n')}`)
  return keys
}

export const printKeys = (keys: ApiKey[]): string => keys.map((key) => `${JSON.stringify(key)}\n`).join('')

export const isExpired = ({ expires_at }: ApiKey, nowMs: number): boolean =>
  expires_at !== undefined && Date.parse(expires_at) <= nowMs

/** Looks callers up by their keys. */
export class ApiKeys {
  readonly #byName = new Map<string, { key: ApiKey; digest: Buffer }[]>()

  constructor(keys: ApiKey[]) {
    for (const key of keys) {
      const same = this.#byName.get(key.name) ?? []
      this.#byName.set(key.name, [...same, { key, digest: Buffer.from(key.sha256, 'hex') }])
    }
  }

  /** Takes as long for a wrong secret as for the right one. */
  find(presented: string, nowMs: number): Caller | Denial {
    const name = presented.slice(prefix.length, presented.indexOf('_', prefix.length))
    const digest = Buffer.from(digestOf(presented), 'hex')
    const found = (this.#byName.get(name) ?? []).filter((known) => timingSafeEqual(known.digest, digest))
    const [good] = found.filter(({ key }) => !isExpired(key, nowMs))
    if (good) return { subject: `key:${name}`, roles: good.key.roles }
    return { denied: found.length > 0 ? 'the API key has expired' : 'the API key is not known' }
  }
}

const digestOf = (key: string): string => hash('sha256', key, 'hex')

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
