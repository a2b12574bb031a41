import type { Series } from './catalogue.ts'

/** What an expression of PromQL names: metrics with the labels that they are chosen by, and labels that it groups by. */
export type Names = { metrics: { name: string; labels: string[] }[]; groupedBy: string[] }

const tokens = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`|[a-zA-Z_:$][\w:]*|\d[\w.]*|[=!]~|[=!<>]=|\S/g
const word = /^[a-zA-Z_:]/
const takesLabels = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right'])
const keywords = new Set(['and', 'or', 'unless', 'bool', 'offset', 'atan2', 'inf', 'nan'])
/** They may have their labels before what they add up: `sum by (kind) (…)`. */
const aggregators = new Set('sum min max avg group count stddev stdvar topk bottomk quantile count_values'.split(' '))

/** @throws when it cannot be read: a name in it could be overlooked */
export function namesIn(expression: string): Names {
  const names: Names = { metrics: [], groupedBy: [] }
  const all = expression.match(tokens) ?? []
  for (let at = 0; at < all.length; at++) {
    const token = all[at] ?? ''
    if (token === '[') at = closing(all, at, ']')
    else if (token === '{') throw new Error(`a selector without a metric: ${expression}`)
    else if (!word.test(token) || keywords.has(token)) continue
    else if (takesLabels.has(token)) {
      if (all[at + 1] !== '(') continue
      const end = closing(all, at + 1, ')')
      names.groupedBy.push(...all.slice(at + 2, end).filter((label) => word.test(label)))
      at = end
    } else if (all[at + 1] === '(' || aggregators.has(token)) continue
    else {
      const end = all[at + 1] === '{' ? closing(all, at + 1, '}') : at
      const labels = all.slice(at + 2, end).filter((label, index, inside) => {
        return word.test(label) && /^(=|!=|=~|!~)$/.test(inside[index + 1] ?? '')
      })
      names.metrics.push({ name: token, labels })
      at = end
    }
  }
  return names
}

function closing(all: string[], from: number, bracket: string): number {
  const end = all.indexOf(bracket, from)
  if (end === -1) throw new Error(`no ${bracket} after ${all.slice(0, from + 1).join(' ')}`)
  return end
}

/** Whatever in the expression no series has, or not with this label. */
export function unknownNamesIn(expression: string, series: Series): string[] {
  const { metrics, groupedBy } = namesIn(expression)
  if (metrics.length === 0) return ['it names no metric']
  const named = metrics.map(({ name }) => name)
  const unknown = named.filter((name) => !series.has(name)).map((name) => `there is no ${name}`)
  const wrong = metrics.flatMap(({ name, labels }) =>
    labels
      .filter((label) => series.has(name) && !series.get(name)?.has(label))
      .map((label) => `${name} has no ${label}`),
  )
  const ungrouped = groupedBy
    .filter((label) => !named.some((name) => series.get(name)?.has(label)))
    .map((label) => `nothing in it has ${label}`)
  return [...unknown, ...wrong, ...ungrouped]
}
