import { Counter, type Registry } from 'prom-client'
import { commandsByKind } from '../../schemas/index.ts'
import type { TurnRecord } from '../engine/ports.ts'
import { createTally, type Line } from './tally.ts'

const outcomes = ['accepted', 'refused', 'ignored'] as const

/** Counts committed turns. */
export function createTurnCounter(registers: Registry[]): (turns: TurnRecord[]) => void {
  const counter = new Counter({
    name: 'turnstile_turns_total',
    help: 'Committed turns, by the kind of the actor and what came of the message: accepted, refused, or ignored',
    labelNames: ['kind', 'outcome'] as const,
    registers,
  })
  const tally = createTally()
  const lineOf = (kind: string, outcome: string): [string, Line] => [outcome, tally.line(counter, { kind, outcome })]
  const lines: Record<string, Record<string, Line>> = Object.fromEntries(
    Object.keys(commandsByKind).map((kind) => [kind, Object.fromEntries(outcomes.map((name) => lineOf(kind, name)))]),
  )
  return (turns) => {
    for (const { kind, decision } of turns) {
      const line = lines[kind]?.[decision.outcome]
      if (line) line.count += 1
    }
    tally.tell()
  }
}
