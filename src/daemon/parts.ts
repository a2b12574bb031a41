import type { Log } from '../engine/ports.ts'

/** Something that was started, and how it is let go of. */
export type Part = { name: string; stop(): void | Promise<void> }

/** Top down: who asks goes before who answers. */
export async function stopParts(parts: Part[], log: Log): Promise<void> {
  for (const part of parts.reverse()) {
    try {
      await part.stop()
    } catch (error) {
      log.warn({ err: error, part: part.name }, 'did not stop cleanly')
    }
  }
}
