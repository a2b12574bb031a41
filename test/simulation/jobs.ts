import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Stretch } from './job.ts'
import type { Result } from './simulation.ts'

/** Small enough that all processes end at about the same time, large enough that nobody waits for the next. */
const seedsOfStretch = 10

/**
 * Simulates the seeds in several processes.
 *
 * @param onResult called with each as it comes, in no order
 * @returns once all are through, or a first one has shown a violation
 */
export async function simulateAll({ first, last }: Stretch, jobs: number, onResult: (result: Result) => void) {
  let next = first
  let isFound = false
  const take = (): Stretch | undefined => {
    if (next > last || isFound) return undefined
    const stretch = { first: next, last: Math.min(next + seedsOfStretch - 1, last) }
    next = stretch.last + 1
    return stretch
  }
  const hear = (result: Result): void => {
    isFound ||= result.violation !== undefined
    onResult(result)
  }
  await Promise.all(Array.from({ length: jobs }, () => runJob(take, hear)))
}

function runJob(take: () => Stretch | undefined, onResult: (result: Result) => void): Promise<void> {
  const job = fork(fileURLToPath(new URL('job.ts', import.meta.url)), { execArgv: ['--import', 'tsx'] })
  return new Promise((resolve, reject) => {
    const goOn = (): void => {
      const stretch = take()
      if (stretch) job.send(stretch)
      else job.kill()
    }
    job.on('message', (message: Result | 'done') => (message === 'done' ? goOn() : onResult(message)))
    job.on('error', reject)
    job.on('exit', (code) => (code === 0 || code === null ? resolve() : reject(new Error(`a job ended with ${code}`))))
    goOn()
  })
}
