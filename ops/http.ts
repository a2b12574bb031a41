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
    if (response && response.status < 500) return { status: response.status, body: await bodyOf<T>(response) }
    await response?.body?.cancel()
    await sleep(pauseMs)
  }
}

/** Some answers have none. */
async function bodyOf<T>(response: Response): Promise<T> {
  const text = await response.text()
  return (text === '' ? {} : JSON.parse(text)) as T
}
