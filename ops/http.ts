import { setTimeout as sleep } from 'node:timers/promises'

const pauseMs = 200
/** Longer than the daemon lets a request wait: what takes longer got lost on the way. */
const timeoutMs = 8_000

export type Answer<T> = { status: number; body: T }

export type RequestOptions = {
  headers?: Record<string, string>
  /** Told each time that there was no answer: of a status, or an error. */
  onFailure?(cause: string): void
}

/** Asks until there is an answer: one that says "come back later" is none. */
export async function request<T>(
  url: string,
  method = 'GET',
  body?: object,
  key?: string,
  { headers = {}, onFailure = () => {} }: RequestOptions = {},
): Promise<Answer<T>> {
  const init = {
    method,
    headers: { 'Content-Type': 'application/json', ...(key !== undefined && { 'Idempotency-Key': key }), ...headers },
    ...(body && { body: JSON.stringify(body) }),
  }
  for (;;) {
    try {
      const response = await fetch(url, { ...init, signal: AbortSignal.timeout(timeoutMs) })
      const text = await response.text()
      // Some answers have no body.
      if (response.status < 500) return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as T }
      onFailure(String(response.status))
    } catch (error) {
      onFailure((error as Error).name)
    }
    await sleep(pauseMs)
  }
}
