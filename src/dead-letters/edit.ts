import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { commandsByKind, requestsByService } from '../../schemas/index.ts'
import type { Desk } from '../commands/desk.ts'
import { authorOf, authorOptions, misused } from '../commands/options.ts'
import type { LetterSummary } from '../store/dead-letter-records.ts'
import type { Command } from './command.ts'
import { parseId } from './options.ts'

const help = `turnstile dead-letters edit ID --payload FILE [options]

Puts another payload into an open dead letter; requeue it afterwards. The old payload stays in the audit trail. The new one
must be what the letter's command or request asks for, as far as that is known.

  --payload FILE   a file, - for standard input, or the JSON itself
  --force          takes the payload as it is
  --by WHO         for the audit trail; the user of this process unless given
  --reason WHY     for the audit trail

  turnstile dead-letters edit 019389c7-1f3a-7b08-8c66-2d94e5b1a703 --payload '{"number_of_tickets":2}' --reason 'typo'
`

export const edit: Command = {
  help,
  async run(args, desk) {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { ...authorOptions, payload: { type: 'string' }, force: { type: 'boolean', default: false } },
    })
    const [given, ...others] = positionals
    if (given === undefined || others.length > 0) throw misused('edit takes the id of one dead letter')
    if (values.payload === undefined) throw misused('edit needs --payload FILE, - or JSON')
    const id = parseId(given)
    const [letter, second] = await desk.letters.find({ ids: [id], status: 'open' }, 'oldest first', 2)
    if (!letter) throw misused(`no dead letter ${id} is open`)
    if (second) throw misused(`several actors have a dead letter ${id}: discard them, and send the right messages anew`)
    const payload = await readPayload(desk, values.payload)
    const fault = values.force ? undefined : faultOf(letter, payload)
    if (fault !== undefined) throw misused(`${letter.kind} would not take this as ${letter.type}:\n${fault}`)
    const isDone = await desk.letters.edit(letter, payload, authorOf(desk, values))
    if (!isDone) throw misused(`dead letter ${id} has changed meanwhile: look at it again`)
    desk.print(`Edited. Next: turnstile dead-letters requeue ${id}\n`)
    return 0
  },
}

async function readPayload({ readInput }: Desk, source: string): Promise<Uint8Array> {
  if (source === '-') return readInput()
  if (/^\s*[{["]/.test(source)) return new TextEncoder().encode(source)
  try {
    return await readFile(source)
  } catch (error) {
    throw misused(`the payload cannot be read: ${(error as Error).message}`)
  }
}

const catalogue: Record<string, Record<string, z.ZodType>> = { ...commandsByKind, ...requestsByService }

/** What its reader would find wrong with it. Of a kind or a command that is not known, anything will do that is an object. */
export function faultOf({ kind, type }: Pick<LetterSummary, 'kind' | 'type'>, payload: Uint8Array): string | undefined {
  const body = parseBody(payload)
  if (body === undefined) return 'it is not a JSON object in UTF-8'
  const family = Object.hasOwn(catalogue, kind) ? catalogue[kind] : undefined
  const schema = family && Object.hasOwn(family, type) ? family[type] : undefined
  const parsed = schema?.safeParse({ ...body, type })
  return parsed?.error && z.prettifyError(parsed.error)
}

function parseBody(payload: Uint8Array): object | undefined {
  try {
    const body: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload))
    return typeof body === 'object' && body !== null && !Array.isArray(body) ? body : undefined
  } catch {
    return undefined
  }
}
