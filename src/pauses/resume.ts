import { parseArgs } from 'node:util'
import { authorOf, authorOptions } from '../commands/options.ts'
import { createReport, inChunks, maxLetters } from '../dead-letters/bulk.ts'
import { createRequeuer } from '../dead-letters/requeue.ts'
import type { Command } from './command.ts'
import { nameOf, parseTarget, releasedBy, targetHelp } from './target.ts'

const help = `turnstile resume WHAT [--reason WHY] [--by WHO] [--json]

Ends a pause. What was set aside by it goes back to its mailbox, in the order in which it was accepted, with a result for
each; what another pause still holds back stays. Run again after it was interrupted, it sends back the rest.

${targetHelp}
  --reason WHY     for the audit trail
  --by WHO         for the audit trail; the user of this process unless given
  --json           one JSON object for each message

  turnstile resume service payments --reason 'INC-42 is settled'
`

export const resume: Command = {
  help,
  async run(args, desk) {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { ...authorOptions, json: { type: 'boolean', default: false } },
    })
    const target = parseTarget(positionals)
    const author = authorOf(desk, values)
    // Nothing is set aside by it from here on, whatever a worker believes; so what is found below is all there is.
    const wasPaused = await desk.pauses.resume(target, author)
    if (!values.json) desk.print(`${nameOf(target)} ${wasPaused ? 'is resumed' : 'was not paused'}.\n`)
    if (target.target === 'service') return 0

    const report = createReport(desk, values.json)
    const requeueAll = createRequeuer(desk, author, 'open')
    for (let isMore = true; isMore && report.failed === 0; ) {
      const found = await desk.letters.find(releasedBy(target), 'oldest first', maxLetters)
      await inChunks(found, report, requeueAll)
      isMore = found.length === maxLetters
    }
    if (!values.json) desk.print(report.total > 0 ? report.summary() : 'No message waited.\n')
    return report.failed > 0 ? 1 : 0
  },
}
