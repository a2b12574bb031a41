import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BundleState } from '../schemas/bundle.ts'
import { takeTurn } from '../src/actor/turn.ts'
import { contextFor, drawnMoves, toldToBundle } from '../test/support/bundles.ts'
import { bundle } from './bundle.ts'

/** What decides where a bundle goes from here: everything but the times. */
function essenceOf(state: BundleState): string {
  if (state.status === 'unknown') return state.status
  const { status, parts, steps, are_tickets_confirmed, is_booking_settled, rollback_reason } = state
  const names = [...new Set(steps.map(({ name }) => name))].sort()
  const undone = Object.values(parts).map(({ undone_ids, ...part }) => ({ ...part, undone: [...undone_ids].sort() }))
  return JSON.stringify([status, undone, names, are_tickets_confirmed, is_booking_settled, rollback_reason !== null])
}

/** Tells a bundle everything in every state that it can get into. @returns the moves that it made */
function explore(): Map<string, Set<string>> {
  const moves = new Map<string, Set<string>>()
  const seen = new Set<string>()
  const waiting: BundleState[] = [bundle.initial]
  for (let state = waiting.pop(); state !== undefined; state = waiting.pop()) {
    if (seen.has(essenceOf(state))) continue
    seen.add(essenceOf(state))
    for (const command of Object.values(toldToBundle)) {
      const next = takeTurn(bundle, state, command, contextFor(state, command), false).state as BundleState
      if (next.status !== state.status) {
        const move = `${state.status} ${next.status}`
        moves.set(move, (moves.get(move) ?? new Set()).add(command.type))
      }
      waiting.push(next)
    }
  }
  assert.ok(seen.size > 100, `${seen.size} states`)
  return moves
}

test('the table in the head of the file is what the code does', () => {
  const code = [...explore()].map(([move, by]) => [move, [...by].sort()])
  assert.deepEqual(drawnMoves(), Object.fromEntries(code))
})
