import { setTimeout as sleep } from 'node:timers/promises'

const pauseMs = 200

export type Answer<T> = { status: number; body: T }

/** Asks until there is an answer: one that says "come back later" is none. */
export async function request<T>(url: string, method = 'GET', body?: object, key?: string): Promise<Answer<T>> {
  const init = {
    method,
    headers: { 'Content-Type': 'application/json', ...(key !== undefined && { 'Idempotency-Key': key }) },
    ...(body && { body: JSON.stringify(body) }),
  }
  for (;;) {
    const response = await fetch(url, init).catch(() => undefined)
    if (response && response.status < 500) return { status: response.status, body: (await response.json()) as T }
    await response?.body?.cancel()
    await sleep(pauseMs)
  }
}
