// The guard: a process of its own that outlives whoever started it, and then kills what that one left running.
// Its standard input is a pipe that only the supervisor holds: lines `+pid` and `-pid`, and end of file when the
// supervisor is gone, however it went, `kill -9` included.
import process from 'node:process'
import readline from 'node:readline'

const guarded = new Set()

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {})

const lines = readline.createInterface({ input: process.stdin })
lines.on('line', (line) => {
  const pid = Number(line.slice(1))
  if (line.startsWith('+')) guarded.add(pid)
  else guarded.delete(pid)
})
lines.on('close', () => {
  for (const pid of guarded) {
    try {
      process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL')
    } catch {
      // Gone already, which is all we want.
    }
  }
  process.exit()
})
