import { parseArgs } from 'node:util'
import { openArchive } from '../../archive/read.ts'
import { authorOf, authorOptions } from '../../commands/options.ts'
import { TurnstileError } from '../../errors.ts'
import { projections } from '../index.ts'
import type { AnyProjection } from '../projection.ts'
import { rebuild } from '../rebuild.ts'
import { archivedEvents } from './archived.ts'
import type { Command } from './command.ts'

const names = projections.map(({ name }) => name).join(', ')

const help = `turnstile projections rebuild NAME [--reason WHY] [--by WHO]

Makes a read model anew from the whole journal, beside the one that serves, and puts it in its place in one step. It is one of
${names}.

  --archive DIR   where archived turns lie, when that is not where they were written

It can be interrupted at any time: the old one stays, and the next rebuild starts over.

  --reason WHY   for the audit log
  --by WHO       for the audit log; the user of this process unless given
`

const progressEveryMs = 200

export const rebuildOne: Command = {
  help,
  async run(args, { store, audit, user, print, printProgress }) {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { ...authorOptions, archive: { type: 'string' } },
    })
    const projection = find(positionals)
    const archive = openArchive(values.archive)
    const act = { act: 'rebuild', subject: `read model ${projection.name}`, details: {} }
    await audit.append(act, authorOf({ user }, values))
    const beganMs = performance.now()
    let shownMs = 0
    const turns = await rebuild(
      projection,
      store,
      (files) => archivedEvents(archive, files),
      (taken, all) => {
        if (performance.now() - shownMs < progressEveryMs) return
        shownMs = performance.now()
        printProgress(`${projection.name}: ${taken} of ${all} turns`)
      },
    )
    printProgress('')
    const seconds = (performance.now() - beganMs) / 1_000
    const rate = Math.round(turns / seconds)
    print(`Rebuilt ${projection.name} from ${turns} turns in ${seconds.toFixed(1)} s: ${rate} turns a second.\n`)
    return 0
  },
}

function find([name, ...rest]: string[]): AnyProjection {
  const found = projections.find((projection) => projection.name === name)
  if (found && rest.length === 0) return found
  throw new TurnstileError('config-invalid', `rebuild takes the name of one read model: ${names}`)
}
