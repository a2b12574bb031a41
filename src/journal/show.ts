import { parseArgs } from 'node:util'
import { actors } from '../../actors/index.ts'
import type { AnyActor } from '../actor/actor.ts'
import { isUuid, partitionOf } from '../actor/ids.ts'
import { alarmOf, fold } from '../actor/turn.ts'
import { livesOf } from '../archive/lives.ts'
import { openArchive } from '../archive/read.ts'
import { misused } from '../commands/options.ts'
import type { Archive } from '../engine/archive-ports.ts'
import type { Address, TurnRecord } from '../engine/ports.ts'
import type { Inspection, PartitionView } from '../store/inspection.ts'
import { eventsOf } from '../verify/events.ts'
import { type Life, stateText, turnText } from './text.ts'

export const help = `turnstile journal show KIND ID [options]

Tells an actor's life, turn by turn: the message and when it was accepted, what the actor made of it (accepted, refused or
ignored, and why), what happened, what it sent, called for and replied. Then its state, folded from those turns.

  --at 12                     up to its version 12, and the state that it had then
  --at 2026-12-01T09:30:00Z   up to the turns of messages accepted by then
  --archive DIR               where the archive lies, when that is not where it was written
  --json                      one JSON object a line: each turn as it is journaled, the state as the last

  turnstile journal show booking 019389c7-1f3a-7b08-8c66-2d94e5b1a703
  turnstile journal show show 019389c7-1f3a-7b08-8c66-2d94e5b1a703 --at 3 --json | tail -1 | jq .state
`

/** @throws `config-invalid` when the arguments name no actor that has had a turn, `archive-unreadable` */
export async function show(args: string[], inspection: Inspection, print: (text: string) => void): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { at: { type: 'string' }, archive: { type: 'string' }, json: { type: 'boolean', default: false } },
  })
  const { actor, address } = parseActor(positionals)
  const isUntil = parseAt(values.at)
  const archive = openArchive(values.archive)
  const { length: partitions } = await inspection.heads()
  await inspection.view(partitionOf(address.id, partitions), async (view) => {
    let life: Life = { version: 0, state: actor.initial }
    for await (const turn of turnsUntil(view, archive, address, isUntil)) {
      print(values.json ? `${JSON.stringify(turn)}\n` : turnText(turn))
      life = after(actor, life, turn)
    }
    const named = `${address.kind} ${address.id}`
    if (life.version === 0)
      throw misused(values.at ? `${named} has had no turn up to ${values.at}` : `${named} has never had a turn`)
    print(values.json ? `${JSON.stringify({ ...address, ...life })}\n` : stateText(life))
  })
}

/** A journal that is broken is what one looks at most: the turns are told all the same. */
function after(actor: AnyActor, before: Life, turn: TurnRecord): Life {
  const { version } = turn
  if (before.fault !== undefined) return { ...before, version }
  try {
    const state = fold(actor, before.state, eventsOf(turn))
    const alarm = alarmOf(actor, state)
    return { version, state, ...(alarm && { alarm }) }
  } catch (error) {
    return { ...before, version, fault: `it cannot be told past version ${version - 1}: ${(error as Error).message}` }
  }
}

async function* turnsUntil(
  view: PartitionView,
  archive: Archive,
  address: Address,
  isUntil: (turn: TurnRecord) => boolean,
) {
  const files = await view.archiveFiles()
  for await (const turns of livesOf(view.turns(address), archive, files, address)) {
    for (const turn of turns) {
      if (!isUntil(turn)) return
      yield turn
    }
  }
}

function parseActor([kind, given, ...others]: string[]): { actor: AnyActor; address: Address } {
  if (kind === undefined || given === undefined || others.length > 0)
    throw misused('show takes a kind and an id, as in: turnstile journal show booking 019389c7-…')
  const rules: Readonly<Record<string, AnyActor>> = actors
  const actor = Object.hasOwn(rules, kind) ? rules[kind] : undefined
  if (!actor) throw misused(`there is no kind of actor ${JSON.stringify(kind)}, but ${Object.keys(actors).join(', ')}`)
  const id = given.toLowerCase()
  if (!isUuid(id)) throw misused(`${JSON.stringify(given)} is no id of an actor: that is a UUID`)
  return { actor, address: { kind, id } }
}

function parseAt(text: string | undefined): (turn: TurnRecord) => boolean {
  if (text === undefined) return () => true
  if (/^\d{1,15}$/.test(text)) return ({ version }) => version <= Number(text)
  const atMs = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(atMs))
    throw misused(`--at must be a version, or a time like 2026-12-01T09:30:00Z, not ${JSON.stringify(text)}`)
  return ({ at }) => Date.parse(at) <= atMs
}
