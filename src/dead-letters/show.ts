import { parseArgs } from 'node:util'
import { misused } from '../commands/options.ts'
import { age, oneLine, printable, table } from '../commands/text.ts'
import type { AuditRecord, LetterRecord } from '../store/dead-letter-records.ts'
import type { Command } from './command.ts'
import { parseId } from './options.ts'
import { payloadText } from './payload-text.ts'

const help = `turnstile dead-letters show ID [--json]

Shows all there is about a dead letter, whatever its status: the payload, the headers, the stack, and its audit trail.

  --json   as one JSON object: the payload as JSON if it is that, else in base64, and the letter before each act
`

export const show: Command = {
  help,
  async run(args, { letters, print }) {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { json: { type: 'boolean', default: false } },
    })
    const [given, ...others] = positionals
    if (given === undefined || others.length > 0) throw misused('show takes the id of one dead letter')
    const id = parseId(given)
    // One message id can have died at two actors.
    const found = await letters.read(await letters.find({ ids: [id] }, 'oldest first', 100))
    if (found.length === 0) throw misused(`there is no dead letter ${id}`)
    for (const letter of found) {
      const audit = await letters.audit(letter)
      print(values.json ? `${JSON.stringify(asJson(letter, audit))}\n` : asText(letter, audit))
    }
    return 0
  },
}

function asText(letter: LetterRecord, audit: AuditRecord[]): string {
  const { messageId, kind, actorId, type, code, status, attempts, at, firstAt, lastAt, headers } = letter
  const asker = headers['Actor-Kind']
  const facts = [
    ['message', messageId],
    ['for', asker === undefined ? `${kind}.${actorId}` : `${kind}, asked by ${asker}.${actorId}`],
    ['type', type],
    ['status', status],
    ['code', code],
    ['attempts', `${attempts}, the first ${ago(firstAt)}, the last ${ago(lastAt)}`],
    ['accepted', ago(at)],
  ]
  return [
    table(facts.map((row) => row.map(oneLine))),
    section('cause', printable(letter.cause)),
    section('payload', payloadText(letter.payload)),
    section('headers', table(pairs(headers))),
    section('meta', table(pairs(letter.meta))),
    section('stack', printable(letter.stack ?? '')),
    section('acts', table(audit.map(({ at, who, act, reason }) => [at, act, `by ${who}`, reason ?? ''].map(oneLine)))),
  ].join('')
}

const ago = (at: string): string => `${at} (${age(at)} ago)`

const pairs = (record: Record<string, string>): string[][] => Object.entries(record).map((pair) => pair.map(oneLine))

const section = (title: string, text: string): string => {
  const lines = text.trimEnd().replaceAll(/^/gm, '  ')
  return lines.trim() === '' ? '' : `\n${title}\n${lines}\n`
}

function asJson({ payload, ...letter }: LetterRecord, audit: AuditRecord[]): object {
  try {
    return { ...letter, payload: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload)), audit }
  } catch {
    return { ...letter, payloadBase64: Buffer.from(payload).toString('base64'), audit }
  }
}
