import path from 'node:path'
import { parseArgs } from 'node:util'
import { misused, parseDuration } from '../commands/options.ts'

export type CommandOptions = {
  olderThanMs: number
  /** Absolute, as it is noted in the database. */
  folder: string
  partition?: number
  isDryRun: boolean
  isJson: boolean
}

/**
 * @param leastDays for so long what comes a second time must be known again
 * @throws `config-invalid` that names the option
 */
export function parseOptions(args: string[], leastDays: number): CommandOptions {
  const { values } = parseArgs({
    args,
    options: {
      'older-than': { type: 'string' },
      to: { type: 'string' },
      partition: { type: 'string' },
      'dry-run': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  })
  const { to, partition } = values
  const seconds = parseDuration('--older-than', values['older-than'])
  if (seconds === undefined) throw misused('archive takes --older-than, such as 90d')
  if (seconds < leastDays * 86_400) {
    const why =
      'for so long, by TURNSTILE_REPEAT_DAYS and TURNSTILE_EVENT_DAYS, messages may come again and events be read'
    throw misused(`--older-than must be ${leastDays}d or more: ${why}`)
  }
  if (to === undefined && !values['dry-run']) throw misused('archive takes --to, the folder that the files go to')
  return {
    olderThanMs: seconds * 1_000,
    folder: path.resolve(to ?? '.'),
    ...(partition !== undefined && { partition: parsePartition(partition) }),
    isDryRun: values['dry-run'],
    isJson: values.json,
  }
}

function parsePartition(text: string): number {
  if (/^\d{1,3}$/.test(text)) return Number(text)
  throw misused(`--partition must be the number of a partition, from 0 on, not ${JSON.stringify(text)}`)
}
