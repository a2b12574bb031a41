export type LogLine = {
  /** Pino's level, 40 for a warning and 50 for an error; undefined when the line is no log record. */
  level: number | undefined
  text: string
}

const levelNames: Record<number, string> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
}

/** Makes a pino record readable for people; any other line stays what it is. */
export function readLogLine(line: string): LogLine {
  const record = parseRecord(line)
  if (record === undefined) return { level: undefined, text: line }
  const { level, time: _time, pid: _pid, hostname: _hostname, msg = '', err, ...fields } = record
  const rest = Object.entries(fields).map(([name, value]) => `${name}=${show(value)}`)
  const cause = typeof err === 'object' && err !== null && 'message' in err ? [`(${err.message})`] : []
  return { level, text: [levelNames[level] ?? level, msg, ...cause, ...rest].join(' ') }
}

type LogRecord = { level: number; [field: string]: unknown }

function parseRecord(line: string): LogRecord | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const record = JSON.parse(line)
    return typeof record.level === 'number' ? record : undefined
  } catch {
    return undefined
  }
}

function show(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
