import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto'

/** Certificates for tests, so that no key has to lie in the repository and no tool has to be there. PEM all of it. */
export type Authority = {
  certificate: string
  /** A certificate for a server of this name, or for a client. */
  issue(name: string): { certificate: string; key: string }
}

/** An authority that signs itself. */
export function createAuthority(name: string): Authority {
  const own = newKey()
  const certificate = issueBy(name, own.key, { name, publicKey: own.publicKey, isAuthority: true })
  return {
    certificate,
    issue(subject) {
      const { key, publicKey } = newKey()
      const issued = issueBy(name, own.key, { name: subject, publicKey, isAuthority: false })
      return { certificate: issued, key }
    },
  }
}

function newKey(): { key: string; publicKey: KeyObject } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), publicKey }
}

type Subject = { name: string; publicKey: KeyObject; isAuthority: boolean }

/** X.509 version 3, RFC 5280, as DER. */
function issueBy(issuer: string, key: string, { name, publicKey, isAuthority }: Subject): string {
  const body = sequence(
    tagged(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    ecdsaWithSha256,
    nameOf(issuer),
    sequence(der(0x18, Buffer.from('20200101000000Z')), der(0x18, Buffer.from('20991231235959Z'))),
    nameOf(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(isAuthority ? authorityExtension : serverNameExtension(name))),
  )
  const signature = der(0x03, Buffer.concat([Buffer.from([0]), sign('sha256', body, createPrivateKey(key))]))
  return new X509Certificate(sequence(body, ecdsaWithSha256, signature)).toString()
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content
  const lengthBytes = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...lengthBytes]), content])
}

const sequence = (...items: Buffer[]): Buffer => der(0x30, Buffer.concat(items))
const tagged = (tag: number, item: Buffer): Buffer => der(tag, item)
const identifier = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'))

const ecdsaWithSha256 = sequence(identifier('2a8648ce3d040302'))
const nameOf = (text: string): Buffer =>
  sequence(der(0x31, sequence(identifier('550403'), der(0x0c, Buffer.from(text)))))

/** Critical, as it must be: `cA` is true. */
const isTrue = der(0x01, Buffer.from([0xff]))
const authorityExtension = sequence(identifier('551d13'), isTrue, der(0x04, sequence(isTrue)))
const serverNameExtension = (name: string): Buffer =>
  sequence(identifier('551d11'), der(0x04, sequence(der(0x82, Buffer.from(name)))))
