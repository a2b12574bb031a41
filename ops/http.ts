import { setTimeout as sleep } from 'node:timers/promises'

const pauseMs = 200
/** Longer than the daemon lets a request wait: what takes longer got lost on the way. */
const timeoutMs = 8_000

export type Answer<T> = { status: number; body: T }

export type RequestOptions = {
  method?: 'GET' | 'POST' | 'PUT'
  body?: object
  headers?: Record<string, string>
  /** Told why there was no answer, each time that there was none: a status, or an error. */
  onFailure?: (cause: string) => void
}

/** Asks until there is an answer: one that says "come back later" is none. An empty body is `undefined`. */
export async function request<T>(url: string, options: RequestOptions = {}): Promise<Answer<T>> {
  const { method = 'GET', body, headers = {}, onFailure } = options
  const init = {
    method,
    headers: { ...(body && { 'Content-Type': 'application/json' }), ...headers },
    ...(body && { body: JSON.stringify(body) }),
  }
  for (;;) {
    try {
      const response = await fetch(url, { ...init, signal: AbortSignal.timeout(timeoutMs) })
      const text = await response.text()
      if (response.status < 500) return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
      onFailure?.(String(response.status))
    } catch (error) {
      onFailure?.((error as Error).name)
    }
    await sleep(pauseMs)
  }
}

export const withKey = (key: string): Record<string, string> => ({ 'Idempotency-Key': key })
