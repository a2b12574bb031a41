import { type ConnectionOptions, credsAuthenticator, nkeyAuthenticator } from '@nats-io/transport-node'
import type { Config } from '../config.ts'

/** How NATS knows us and we know it, beside what the URL says. */
export type NatsSecurity = Partial<Pick<Config, 'NATS_CREDS' | 'NATS_NKEY' | 'NATS_CA' | 'NATS_CERT' | 'NATS_KEY'>>

/** @param isTlsAsked whether the URL asks for TLS. A certificate asks for it too, and then a server without it is refused */
export function securityOptions(
  { NATS_CREDS, NATS_NKEY, NATS_CA: ca, NATS_CERT: cert, NATS_KEY: key }: NatsSecurity,
  isTlsAsked: boolean,
): Pick<ConnectionOptions, 'authenticator' | 'tls'> {
  const tls = {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  }
  return {
    ...(NATS_CREDS !== undefined && { authenticator: credsAuthenticator(Buffer.from(NATS_CREDS)) }),
    ...(NATS_NKEY !== undefined && { authenticator: nkeyAuthenticator(Buffer.from(NATS_NKEY)) }),
    ...((isTlsAsked || Object.keys(tls).length > 0) && { tls }),
  }
}
