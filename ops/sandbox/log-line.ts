export type LogLine = {
  /** Whether it is a warning or worse. */
  isWarning: boolean
  text: string
}

const warnings = ['warn', 'error', 'fatal']

/** Makes a pino record readable for people; any other line stays what it is. */
export function readLogLine(line: string): LogLine {
  const record = parseRecord(line)
  if (record === undefined) return { isWarning: false, text: line }
  const { level, time: _time, service: _service, worker: _worker, msg = '', err, ...fields } = record
  const rest = Object.entries(fields).map(([name, value]) => `${name}=${show(value)}`)
  const cause = typeof err === 'object' && err !== null && 'message' in err ? [`(${err.message})`] : []
  return { isWarning: warnings.includes(level), text: [level, msg, ...cause, ...rest].join(' ') }
}

type LogRecord = { level: string; [field: string]: unknown }

function parseRecord(line: string): LogRecord | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const record = JSON.parse(line)
    return typeof record.level === 'string' ? record : undefined
  } catch {
    return undefined
  }
}

function show(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
