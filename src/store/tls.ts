import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import tls from 'node:tls'
import { TurnstileError } from '../errors.ts'

/** How postgres.js is to encrypt: by its own word for it, by what goes to `tls.connect`, or not at all. */
type Encryption = 'require' | 'prefer' | 'allow' | false | tls.ConnectionOptions

const modes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const

/**
 * What a database URL says of TLS, in the words of libpq (https://www.postgresql.org/docs/current/libpq-ssl.html):
 * `sslmode`, and the files `sslrootcert`, `sslcert` and `sslkey`, which are read anew for every connection. postgres.js knows
 * the first of these alone.
 *
 * @returns the URL without these, and how to encrypt
 * @throws `config-invalid`
 */
export function readEncryption(text: string): { url: string; ssl?: Encryption } {
  const url = new URL(text)
  const take = (name: string): string | undefined => {
    const value = url.searchParams.get(name) ?? undefined
    url.searchParams.delete(name)
    return value
  }
  const files = { ca: take('sslrootcert'), cert: take('sslcert'), key: take('sslkey') }
  const { ca, cert, key } = files
  const mode = take('sslmode') ?? (ca === undefined ? undefined : 'verify-full')
  if (mode === undefined) return { url: url.href }
  if (!modes.some((known) => known === mode))
    throw new TurnstileError('config-invalid', `POSTGRES_URL: sslmode must be one of ${modes.join(', ')}, not ${mode}`)
  if (mode === 'disable') return { url: url.href, ssl: false }
  const options: tls.ConnectionOptions = {
    ...(ca !== undefined && ca !== 'system' && { ca: read('sslrootcert', ca) }),
    ...(cert !== undefined && { cert: read('sslcert', cert) }),
    ...(key !== undefined && { key: read('sslkey', key) }),
  }
  return { url: url.href, ssl: encryptionBy(mode, options, url.hostname) }
}

function encryptionBy(mode: string, options: tls.ConnectionOptions, host: string): Encryption {
  switch (mode) {
    case 'allow':
    case 'prefer':
      return mode
    case 'require':
      // As with libpq: without a root certificate it is encrypted, and whom it is with is not looked at.
      return options.ca ? anyName(options) : { ...options, rejectUnauthorized: false }
    case 'verify-ca':
      return anyName(options)
    default:
      // Where there is a name, postgres.js has it.
      return isIP(host)
        ? { ...options, checkServerIdentity: (_, peer) => tls.checkServerIdentity(host, peer) }
        : options
  }
}

const anyName = (options: tls.ConnectionOptions): tls.ConnectionOptions => ({
  ...options,
  checkServerIdentity: () => undefined,
})

function read(parameter: string, path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    const message = `POSTGRES_URL: ${parameter} ${path} cannot be read: ${(error as Error).message}`
    throw new TurnstileError('config-invalid', message, { cause: error })
  }
}
