import type { Alarm, Reply, Tagged } from '../actor/actor.ts'
import { oneLine, printable } from '../commands/text.ts'
import type { RecordedSend, TurnRecord } from '../engine/ports.ts'
import { eventsOf } from '../verify/events.ts'

/** A turn as people read it: what came, and a line for each thing that followed. */
export function turnText(turn: TurnRecord): string {
  const { version, at, messageId, message, meta, decision } = turn
  const { outcome, because, sends = [], calls = [], reply } = decision
  const heading = `${String(version).padEnd(5)} ${at}  ${message.type}  ${because === undefined ? outcome : `${outcome}: ${oneLine(because)}`}`
  const lines = [
    ['message', `${messageId} ${fieldsOf(message)}`],
    ...(meta.askedBy === undefined ? [] : [['asked by', meta.askedBy]]),
    ...eventsOf(turn).map((event) => ['event', `${event.type} ${fieldsOf(event)}`]),
    ...sends.map((send) => ['sent', sendText(send)]),
    ...calls.map(({ messageId, call, request }) => [
      'called',
      `${call} ${request.type} ${messageId} ${fieldsOf(request)}`,
    ]),
    ...(reply ? [['replied', replyText(reply)]] : []),
  ]
  return [heading, ...lines.map(([name = '', text = '']) => `      ${name.padEnd(8)} ${oneLine(text)}`), ''].join('\n')
}

/** What has become of an actor by some version, and why that cannot be told, if it cannot. */
export type Life = { version: number; state: unknown; alarm?: Alarm<Tagged>; fault?: string }

export function stateText({ version, state, alarm, fault }: Life): string {
  if (fault !== undefined) return `\nThe state after version ${version}: ${oneLine(fault)}.\n`
  const due = alarm ? `Its alarm goes off at ${alarm.at}: ${alarm.command.type}.\n` : ''
  return `\nThe state after version ${version}:\n${printable(JSON.stringify(state, null, 2))}\n${due}`
}

function sendText(send: RecordedSend): string {
  const to = send.id === undefined ? '' : ` to ${send.send}.${send.id}`
  if ('joined' in send) return `in the same commit${to}: message ${send.joined}`
  return `${send.command.type}${to} ${send.messageId} ${fieldsOf(send.command)}`
}

const replyText = (reply: Reply): string =>
  'ok' in reply ? JSON.stringify(reply.ok) : `refused: ${reply.refused}, ${reply.reason}`

function fieldsOf({ type: _, ...fields }: Tagged): string {
  return JSON.stringify(fields)
}
