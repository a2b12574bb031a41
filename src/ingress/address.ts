import { isIPv6 } from 'node:net'
import type { HttpRequest } from './exchange.ts'

/** Where a request comes from, as one caller. Of IPv6 a network of 64 bits is one: whoever has an address there has all. */
export function addressOf({ socket }: Pick<HttpRequest, 'socket'>): string {
  const address = socket.remoteAddress ?? 'unknown'
  return isIPv6(address) && !address.includes('.') ? networkOf(address) : address
}

function networkOf(address: string): string {
  const [before = '', after = ''] = address.split('::')
  const [head, tail] = [before, after].map((part) => part.split(':').filter(Boolean)) as [string[], string[]]
  const groups = [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail]
  return `${groups.slice(0, 4).join(':')}::/64`
}
