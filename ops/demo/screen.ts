import { styleText } from 'node:util'
import { oneLine } from '../../src/commands/text.ts'

type Style = Parameters<typeof styleText>[0]

/** Where the tour is told: to people on a terminal in colours, to a file without. */
export type Screen = {
  /** A part of the tour begins. */
  heading(text: string): void
  /** What is done, or seen. */
  say(text: string): void
  /** A public event, as it comes. */
  event(name: string, text: string): void
  /** Something turned out as told, or not. */
  check(text: string, holds: boolean): void
}

export function createScreen(out: { isTTY?: boolean; write(text: string): unknown }): Screen {
  const line = (style: Style, text: string) =>
    void out.write(`${out.isTTY ? styleText(style, text, { validateStream: false }) : text}\n`)
  return {
    heading: (text) => line('bold', `\n── ${text} ──`),
    say: (text) => line('reset', `   ${oneLine(text)}`),
    event: (name, text) => line('cyan', `   ⚡ ${name.padEnd(26)} ${oneLine(text)}`),
    check: (text, holds) => line(holds ? 'green' : 'red', `   ${holds ? '✔' : '✘ not so:'} ${oneLine(text)}`),
  }
}
