import { setTimeout as sleep } from 'node:timers/promises'
import type { NatsConnection } from '@nats-io/transport-node'
import { type Answer, request } from '../http.ts'
import type { Gateway } from '../sandbox/gateway.ts'
import type { Screen } from './screen.ts'

/** So long is waited for what is to happen, on the slowest machine. */
const patienceMs = 60_000

/** What the parts of the tour work with. */
export type Guide = {
  screen: Screen
  gateway: Gateway
  /** How often each public event has come. */
  events: Map<string, number>
  get<T>(path: string): Promise<T>
  post<T>(path: string, body: object): Promise<Answer<T>>
  /** Says it, and remembers if it does not hold. */
  check(text: string, holds: boolean): void
  /** The same of something that takes a while. */
  until(text: string, holds: () => Promise<boolean>): Promise<void>
  isAsTold(): boolean
}

export function createGuide(url: string, gateway: Gateway, nats: NatsConnection, screen: Screen): Guide {
  const events = new Map<string, number>()
  let isAsTold = true
  const check = (text: string, holds: boolean): void => {
    screen.check(text, holds)
    isAsTold &&= holds
  }
  nats.subscribe('turnstile.evt.>', {
    callback: (_, message) => {
      const name = message.subject.split('.').at(-1) ?? ''
      events.set(name, (events.get(name) ?? 0) + 1)
      screen.event(name, factsOf(message.json()))
    },
  })
  return {
    ...{ screen, gateway, events, check },
    get: async <T>(path: string) => (await request<T>(`${url}${path}`)).body,
    post: (path, body) => request(`${url}${path}`, { method: 'POST', body }),
    async until(text, holds) {
      const untilMs = performance.now() + patienceMs
      while (!(await holds()) && performance.now() < untilMs) await sleep(50)
      check(text, await holds())
    },
    isAsTold: () => isAsTold,
  }
}

/** What is worth a glance: the end of the id that it is about, and whatever is not an id. */
function factsOf(event: Record<string, unknown>): string {
  const { header: _, customer_email: __, ...fields } = event
  return Object.entries(fields)
    .map(([name, value]) => `${name.replace(/_id$/, '')} ${short(value)}`)
    .join(', ')
}

function short(value: unknown): string {
  if (typeof value === 'string') return value.replace(/^[0-9a-f]{8}-[0-9a-f-]{23}([0-9a-f]{4})/, '…$1')
  return Array.isArray(value) ? `${value.length} of them` : JSON.stringify(value)
}
