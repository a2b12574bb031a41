import { spawn } from 'node:child_process'
import path from 'node:path'
import process from 'node:process'

/** What a client writes on a line of its own when the time begins that counts. */
export const beginMark = 'begin'

/**
 * Runs a load client as a process of its own.
 *
 * @param options goes to it as JSON, and its result comes back so
 * @param onBegin is called each time that the client says `beginMark`
 */
export function runClient<Options, Result>(
  file: 'load.ts' | 'open-load.ts' | 'command-load.ts' | 'webhook-load.ts',
  options: Options,
  onBegin: () => void = () => {},
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const args = ['--import', 'tsx', path.join(import.meta.dirname, file), JSON.stringify(options)]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk
      while (output.startsWith(`${beginMark}\n`)) {
        output = output.slice(beginMark.length + 1)
        onBegin()
      }
    })
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve(JSON.parse(output))
      else reject(new Error(`${file} ended with ${code}`))
    })
  })
}
