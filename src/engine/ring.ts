import type { AnyActor, Tagged } from '../actor/actor.ts'
import { alarmId } from '../actor/ids.ts'
import { alarmOf, type Turn } from '../actor/turn.ts'
import { type Batch, deadLetterOf, disarm, faultOf, type Message, noPayload } from './batch.ts'
import { type CachedActor, keyOf } from './cache.ts'
import type { Surroundings, Target, Work } from './decide.ts'
import type { Fault } from './parse.ts'
import type { OwnedPartition } from './partition.ts'
import type { Address, DueAlarm, Meta, Wake } from './ports.ts'

type Ringing = Target & { alarm: DueAlarm }

export function targetOf(around: Surroundings, alarm: DueAlarm): Ringing[] {
  const { kind, id } = alarm
  const partition = around.owned(alarm.partition)
  const actor = around.actors[kind]
  return partition && actor ? [{ partition, actor, to: { kind, id }, key: keyOf(alarm), alarm }] : []
}

/** An alarm that has gone off becomes a message, unless it had its turn, or was moved, since it was looked up. */
export function ring(around: Surroundings, batch: Batch, { partition, actor, to, key, alarm: due }: Ringing): Work[] {
  const cached = batch.actors.get(key) as CachedActor
  if (cached.wake?.at !== due.at) return []
  const { at, command, fault } = readAlarm(actor, cached.state, around.faultOf(due))
  const delivery = deliveryOf(partition, to, due, command)
  if (fault) batch.deadLetters.push(deadLetterOf(delivery, fault))
  if (fault || !command) {
    disarm(batch, cached)
    return []
  }
  // The rules have changed since it was stored, and mean a later time: it is looked up again until then.
  if (Date.parse(at) > due.nowMs) return []
  return [
    {
      partition,
      actor,
      to,
      key,
      message: command,
      delivery,
      at: new Date(due.nowMs).toISOString(),
      depth: 0,
      alarm: due,
    },
  ]
}

type ReadAlarm = { at: string; command?: Tagged; fault?: Fault | undefined }

function readAlarm(actor: AnyActor, state: unknown, fault: Fault | undefined): ReadAlarm {
  try {
    return { at: '', ...alarmOf(actor, state), fault }
  } catch (error) {
    return { at: '', fault: faultOf(error) }
  }
}

function deliveryOf(partition: OwnedPartition, to: Address, due: DueAlarm, command: Tagged = noCommand): Message {
  const { at, nowMs, correlationId, traceparent } = due
  return {
    partition: partition.id,
    to,
    type: command.type,
    messageId: alarmId(to.kind, to.id, at),
    meta: { correlationId, ...(traceparent !== undefined && { traceparent }) },
    headers: {},
    payload: noPayload,
    command,
    at: nowMs,
  }
}

/** Names the alarm of an actor that does not know itself what it wanted. */
const noCommand: Tagged = { type: 'Alarm' }

/**
 * The alarm as it is to be stored. One that stays as it was goes on with the story that it was set in; the one that this
 * very turn was about has gone off.
 */
export function wakeAfter(
  { alarm }: Turn,
  before: Wake | undefined,
  { correlationId, traceparent }: Meta,
  rung: DueAlarm | undefined,
): Wake | undefined {
  if (!alarm || alarm.at === rung?.at) return undefined
  if (alarm.at === before?.at) return before
  return { at: alarm.at, correlationId, ...(traceparent !== undefined && { traceparent }) }
}
