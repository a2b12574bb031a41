import { parseArgs } from 'node:util'
import { authorOptions, misused, parseDuration } from '../commands/options.ts'

export type RedriveOptions = {
  isDryRun: boolean
  isJson: boolean
  /** All of them unless given. */
  partition?: number
  /** RFC 3339 in UTC: what turns of later than this have told may be on its way. */
  before: string
  /** RFC 3339 in UTC. */
  eventsSince?: string
  by?: string | undefined
  reason?: string | undefined
}

/** @throws `config-invalid` that names the option */
export function parseOptions(args: string[], partitions: number, nowMs: number): RedriveOptions {
  const { values } = parseArgs({
    args,
    options: {
      ...authorOptions,
      'dry-run': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      partition: { type: 'string' },
      'older-than': { type: 'string', default: '1m' },
      'events-since': { type: 'string' },
    },
  })
  const olderThanSeconds = parseDuration('--older-than', values['older-than']) ?? 0
  return {
    isDryRun: values['dry-run'],
    isJson: values.json,
    by: values.by,
    reason: values.reason,
    before: new Date(nowMs - olderThanSeconds * 1_000).toISOString(),
    ...(values.partition !== undefined && { partition: parsePartition(values.partition, partitions) }),
    ...(values['events-since'] !== undefined && { eventsSince: parseTime(values['events-since']) }),
  }
}

function parsePartition(text: string, partitions: number): number {
  if (/^\d{1,3}$/.test(text) && Number(text) < partitions) return Number(text)
  throw misused(`--partition must be a number from 0 to ${partitions - 1}, not ${JSON.stringify(text)}`)
}

/** With its zone: a time that means another one elsewhere would publish the wrong events. */
function parseTime(text: string): string {
  const isWhole = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/.test(text)
  const ms = isWhole ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(ms)) return new Date(ms).toISOString()
  throw misused(`--events-since must be a time like 2027-01-01T20:00:00Z, not ${JSON.stringify(text)}`)
}
