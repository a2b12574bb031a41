import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'

/** On top of good ones; without those that are undefined. */
type Claims = { [name: string]: unknown }

/** An issuer of tokens, with an address where its keys are published. */
export type Issuer = {
  jwksUrl: string
  /** How often its keys were asked for. */
  fetches(): number
  /** Whether it answers. */
  isUp: boolean
  /** Signs by a new key from now on; withdraws the old one. */
  rotate(): Promise<void>
  token(claims?: Claims): Promise<string>
  close(): void
}

export const issuer = 'https://id.example.org'
export const audience = 'turnstile'

export async function startIssuer(): Promise<Issuer> {
  let keyId = 0
  let pair = await generateKeyPair('ES256')
  let fetches = 0
  const house = { isUp: true }
  const server = http.createServer(async (_, response) => {
    fetches++
    if (!house.isUp) return response.writeHead(500).end()
    const jwk = { ...(await exportJWK(pair.publicKey)), kid: String(keyId), alg: 'ES256', use: 'sig' }
    return response.end(JSON.stringify({ keys: [jwk] }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return Object.assign(house, {
    jwksUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`,
    fetches: () => fetches,
    async rotate() {
      keyId += 1
      pair = await generateKeyPair('ES256')
    },
    token: (claims: Claims = {}) =>
      new SignJWT({ ...good(), ...claims } as JWTPayload)
        .setProtectedHeader({ alg: 'ES256', kid: String(keyId) })
        .sign(pair.privateKey),
    close: () => void server.close(),
  })
}

const good = () => ({ iss: issuer, aud: audience, sub: 'ada', exp: inAnHour(), roles: ['customer'] })

/** Seconds since 1970. */
const inAnHour = (): number => Math.floor(Date.now() / 1_000) + 3_600
