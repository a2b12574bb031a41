import { oneLine } from '../commands/text.ts'
import { checkNames, checks } from './checks.ts'
import type { Findings } from './findings.ts'

/** Longer than this, a state is better looked at with the command that is named below it. */
const maxCharacters = 300

/** For people: what was looked at, what was found, what waits. */
export function textReport(findings: Findings, seconds: number, partition: number | undefined): string {
  const { verdicts, isClean } = findings
  const turns = verdicts.positions.looked
  const rate = Math.round(turns / Math.max(seconds, 0.001))
  const place = partition === undefined ? `${verdicts.partitions.looked} partitions` : `partition ${partition}`
  const lines = checkNames.flatMap((name) => checkLines(name, findings, partition))
  const broken = checkNames.filter((name) => verdicts[name].differences > 0)
  return [
    `${count(turns)} turns of ${count(verdicts.states.looked)} actors in ${place}, in ${seconds.toFixed(1)} s (${count(rate)} turns/s)\n`,
    ...lines,
    ...waitingLines(findings),
    isClean ? 'All of it holds.' : `Broken: ${broken.join(', ')}.`,
    '',
  ].join('\n')
}

function checkLines(
  name: (typeof checkNames)[number],
  { verdicts }: Findings,
  partition: number | undefined,
): string[] {
  const { looked, differences, first } = verdicts[name]
  const { of, holds } = checks[name]
  if ((name === 'seats' || name === 'audit') && partition !== undefined)
    return [`  -      ${name.padEnd(11)} not looked at: it takes all partitions`]
  const head = `${first ? '  BROKEN' : '  ok    '} ${name.padEnd(11)} ${count(looked)} ${of}`
  if (!first) return [head]
  return [
    `${head}, ${count(differences)} wrong. ${holds}`,
    `           first     ${oneLine(first.where)}`,
    `           expected  ${cut(oneLine(first.expected))}`,
    `           found     ${cut(oneLine(first.found))}`,
    ...(first.look === undefined ? [] : [`           look      ${first.look}`]),
  ]
}

function waitingLines({ waiting, lags, paused, deadLetters, archived, unnamed }: Findings): string[] {
  const { sends, calls } = waiting
  const age = (ms: number) => `${Math.round(ms / 1_000)} s`
  return [
    '',
    `Not taken yet: ${count(sends.count)} sends, the oldest for ${age(sends.oldestMs)}; ${count(calls.count)} calls, the oldest for ${age(calls.oldestMs)}.`,
    ...(lags.size > 0
      ? [`Read models behind: ${[...lags].map(([name, turns]) => `${name} ${count(turns)} turns`).join(', ')}.`]
      : []),
    ...paused.map(({ target, name, ms, who, reason }) => {
      return `Paused for ${age(ms)}: ${target} ${name}, by ${oneLine(who)}: ${oneLine(reason)}. turnstile resume ends it.`
    }),
    ...(deadLetters > 0
      ? [`Dead letters: ${count(deadLetters)} sends and calls; turnstile dead-letters list shows them.`]
      : []),
    ...(archived > 0 ? [`Of the turns, ${count(archived)} lie in files of the archive.`] : []),
    ...(unnamed > 0
      ? [
          `Not looked at: ${count(unnamed)} sends that joined their commit in a journal of 0.1.0, which does not say where to.`,
        ]
      : []),
  ]
}

/** For programs: the same, and the sentence of every check. */
export function jsonReport(findings: Findings, seconds: number): string {
  const { verdicts, waiting, lags, paused, deadLetters, archived, unnamed, isClean } = findings
  const entries = checkNames.map((name) => [name, { ...checks[name], ...verdicts[name] }])
  return `${JSON.stringify({ isClean, seconds, checks: Object.fromEntries(entries), waiting, lags: Object.fromEntries(lags), paused, deadLetters, archived, unnamed })}\n`
}

const count = (value: number): string => value.toLocaleString('en')

function cut(text: string): string {
  return text.length <= maxCharacters ? text : `${text.slice(0, maxCharacters - 1)}…`
}
