import { parseArgs } from 'node:util'
import { authorOf, authorOptions, misused } from '../commands/options.ts'
import type { Command } from './command.ts'
import { nameOf, parseTarget, targetHelp } from './target.ts'

const help = `turnstile pause WHAT --reason WHY [--by WHO]

Holds back one actor, one kind of actors, or the calls of one service, until it is resumed. Every process heeds it within
about a second. Nothing is lost: messages to a paused actor are set aside and sent back by resume, and effects of a paused
service wait in their queue. Turns that are decided already and calls that are under way come to their end.

${targetHelp}
  --reason WHY     for whoever finds it paused, and for the audit trail; required
  --by WHO         for the audit trail; the user of this process unless given

  turnstile pause service payments --reason 'double refunds, INC-42'
  turnstile pause actor show 019389c7-1f3a-7b08-8c66-2d94e5b1a703 --reason 'the venue is being changed'
`

export const pause: Command = {
  help,
  async run(args, desk) {
    const { values, positionals } = parseArgs({ args, allowPositionals: true, options: authorOptions })
    const target = parseTarget(positionals)
    const { who, reason } = authorOf(desk, values)
    if (!reason?.trim()) throw misused('pause needs --reason: what whoever finds it paused must know')
    const isNew = await desk.pauses.pause(target, { who, reason })
    desk.print(`${nameOf(target)} is paused${isNew ? '' : ' already'}. Next: turnstile pauses\n`)
    return 0
  },
}
