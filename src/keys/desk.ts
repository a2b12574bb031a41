import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'

/** What the commands on the file of API keys work with. */
export type Desk = {
  /** The text of the file; empty while there is none. */
  read(): string
  /** All of it anew, or nothing. */
  write(text: string): void
  /** To standard output. */
  print(text: string): void
  /** To whoever is at the keyboard. */
  say(text: string): void
  /** Milliseconds since 1970. */
  nowMs: number
}

export function deskOn(path: string): Desk {
  return {
    read: () => (existsSync(path) ? readFileSync(path, 'utf8') : ''),
    write(text) {
      const unfinished = `${path}.new`
      writeFileSync(unfinished, text, { mode: 0o600 })
      renameSync(unfinished, path)
    },
    print: (text) => void process.stdout.write(text),
    say: (text) => void process.stderr.write(text),
    nowMs: Date.now(),
  }
}
