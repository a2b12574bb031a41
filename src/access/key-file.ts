import { readFile } from 'node:fs/promises'
import type { Log } from '../engine/ports.ts'
import { TurnstileError } from '../errors.ts'
import { ApiKeys, parseKeys } from './api-keys.ts'

/** A mounted Secret changes by swapping links, of which nobody is told: it is read anew. */
const everyMs = 5_000

export type KeyFile = {
  /** As the file was a few seconds ago; while it cannot be used, as it was when it last could. */
  readonly keys: ApiKeys
  close(): void
}

/** @throws `config-invalid` when the file cannot be read or used */
export async function openKeyFile(path: string, log: Log, rereadMs = everyMs): Promise<KeyFile> {
  let text = await read(path)
  let keys = new ApiKeys(parseKeys(text))
  let isFaulty = false

  async function reread(): Promise<void> {
    try {
      const now = await read(path)
      if (now !== text) {
        const parsed = parseKeys(now)
        keys = new ApiKeys(parsed)
        text = now
        log.info({ path, keys: parsed.length }, 'the API keys have changed')
      }
      isFaulty = false
    } catch (error) {
      if (!isFaulty) log.error({ err: error, path }, 'the key file cannot be used; the keys stay as they were')
      isFaulty = true
    }
  }

  // One after the other: of two at once the earlier could be the last to end.
  const next = () => reread().finally(() => timer.refresh())
  const timer = setTimeout(next, rereadMs).unref()
  return {
    get keys() {
      return keys
    },
    close: () => clearTimeout(timer),
  }
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const message = `TURNSTILE_API_KEYS_FILE ${path} cannot be read: ${(error as Error).message}`
    throw new TurnstileError('config-invalid', message, { cause: error })
  }
}
