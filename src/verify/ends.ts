import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { alarmId } from '../actor/ids.ts'
import { alarmOf } from '../actor/turn.ts'
import { keyOf } from '../engine/cache.ts'
import type { StoredActor } from '../engine/ports.ts'
import type { PartitionView } from '../store/inspection.ts'
import type { Findings } from './findings.ts'
import type { Life } from './life.ts'
import { archivedBeforeOf } from './marks.ts'

/** Holds actors whose turns have all been followed against what is stored of them. */
export async function checkEnds(view: PartitionView, lives: Life[], findings: Findings): Promise<void> {
  if (lives.length === 0) return
  const stored = new Map((await view.load(lives.map(({ address }) => address))).map((actor) => [keyOf(actor), actor]))
  const silent: Silent[] = []
  for (const life of lives) {
    const actor = stored.get(keyOf(life.address))
    checkState(life, actor, findings)
    checkRefunds(life, findings)
    silent.push(...checkAlarm(life, actor, findings))
  }
  await checkSilent(view, silent, findings)
}

function checkState(life: Life, stored: StoredActor | undefined, findings: Findings): void {
  const { address, actor, version } = life
  findings.look('states')
  findings.look('schemas')
  if (!stored) findings.differ('states', differenceOf(life, `a state of version ${version}`, 'none is stored'))
  if (!stored || !actor) return
  const parsed = actor.schemas.state.safeParse(stored.state)
  if (parsed.error)
    findings.differ('schemas', differenceOf(life, `a state of a ${address.kind}`, z.prettifyError(parsed.error)))
  // By way of the schema, so that a state that an older version has stored is compared as what it means now.
  const state = parsed.success ? parsed.data : stored.state
  const folded = JSON.parse(JSON.stringify(life.state))
  if (stored.version !== version || !isDeepStrictEqual(folded, state)) {
    const text = (version: number, state: unknown) => `version ${version}: ${JSON.stringify(state)}`
    findings.differ('states', differenceOf(life, text(version, folded), text(stored.version, stored.state)))
  }
}

type Silent = { life: Life; at: string }

/** @returns an alarm that is asked for and not set, which is right when it has gone off */
function checkAlarm(life: Life, stored: StoredActor | undefined, findings: Findings): Silent[] {
  findings.look('alarms')
  if (!life.actor || !stored) return []
  const wanted = wantedAlarm(life)
  const found = stored.wake?.at
  if (wanted === found) return []
  if (wanted !== undefined && found === undefined) return [{ life, at: wanted }]
  findings.differ('alarms', differenceOf(life, wanted ?? 'no alarm', found ?? 'no alarm'))
  return []
}

/** What the actor cannot say becomes a dead letter when it goes off, and is nothing to compare with. */
function wantedAlarm({ actor, state }: Life): string | undefined {
  try {
    return actor && alarmOf(actor, state)?.at
  } catch {
    return undefined
  }
}

/** An alarm that had its turn is not set again, nor one that has become a dead letter. */
async function checkSilent(view: PartitionView, silent: Silent[], findings: Findings): Promise<void> {
  if (silent.length === 0) return
  const alarms = silent.map(({ life, at }) => {
    const { kind, id } = life.address
    return { life, at, key: { ...life.address, messageId: alarmId(kind, id, at) } }
  })
  const [turns, letters] = await Promise.all([
    view.findTurns(alarms.map(({ key }) => key)),
    view.letters(alarms.map(({ key }) => key.messageId)),
  ])
  const gone = new Set([...turns, ...letters].map(({ messageId }) => messageId))
  const archivedBefore = await archivedBeforeOf(
    view,
    alarms.map(({ key }) => key),
  )
  for (const { life, at, key } of alarms) {
    if (at < archivedBefore(key)) continue
    if (!gone.has(key.messageId)) findings.differ('alarms', differenceOf(life, at, 'no alarm'))
  }
}

function checkRefunds(life: Life, findings: Findings): void {
  if (life.address.kind !== 'ticket') return
  findings.look('refunds')
  const { payments, rows, done } = life.refunds
  if (payments + rows <= 1 && done <= payments) return
  const found = `${payments} by payments, ${rows} by the sheet, ${done} done`
  findings.differ('refunds', differenceOf(life, 'one refund at most, and none done that was not paid', found))
}

function differenceOf({ address: { kind, id } }: Life, expected: string, found: string) {
  return { where: keyOf({ kind, id }), expected, found, look: `turnstile journal show ${kind} ${id}` }
}
