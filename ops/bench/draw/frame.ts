/** A picture's outer measures; inside lies the plot, with room for its title, its axes and its legend. */
const size = { width: 720, height: 340 }
export const plot = { left: 64, top: 64, right: 700, bottom: 290 }

/** What a series is drawn in: seen on white and on black, and told apart in grey too. */
const colours = ['#3b82d6', '#e08a2b', '#8d94a0', '#4aa564']
export const colourOf = (index: number): string => colours[index % colours.length] as string

/** The vertical axis: where its lines are, and how high a value stands. */
export type Scale = { lines: number[]; heightOf(value: number): number }

/** From zero to a round number past the largest value. */
export function linearScale(values: number[]): Scale {
  const most = Math.max(0, ...values)
  const step = stepOf(most)
  const count = Math.max(1, Math.ceil(most / step))
  const lines = Array.from({ length: count + 1 }, (_, index) => index * step)
  return { lines, heightOf: (value) => heightAt(value / (count * step)) }
}

/** From one power of ten to another: what is ten times as much is always as much higher. */
export function logarithmicScale(values: number[]): Scale {
  const known = values.filter((value) => value > 0)
  const [least, most] = [Math.min(...known, 10), Math.max(...known, 10)]
  const first = Math.floor(Math.log10(least))
  const count = Math.max(1, Math.ceil(Math.log10(most)) - first)
  const lines = Array.from({ length: count + 1 }, (_, index) => 10 ** (first + index))
  return { lines, heightOf: (value) => heightAt((Math.log10(value) - first) / count) }
}

/** The whole picture: `marks` between the lines of the axis and the legend. Dark letters on light, light ones on dark. */
export function frame(title: string, unit: string, scale: Scale, series: string[], marks: string[]): string {
  const lines = scale.lines.map((value) => {
    const y = scale.heightOf(value)
    const line = `<line class="grid" x1="${plot.left}" x2="${plot.right}" y1="${y}" y2="${y}"/>`
    return `${line}${text(plot.left - 8, y + 4, label(value), 'end')}`
  })
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${escaped(title)}">`,
    '<style>',
    'text { font: 13px system-ui, sans-serif; fill: #24292f } .title { font-weight: 600; font-size: 15px } .grid { stroke: #8884 }',
    '@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } }',
    '</style>',
    `<text class="title" x="16" y="24">${escaped(title)}</text>`,
    text(16, 48, unit),
    ...lines,
    ...marks,
    ...legend(series),
    '</svg>',
  ].join('\n')}\n`
}

/** @param share of the way from the bottom to the top */
const heightAt = (share: number): number => round(plot.bottom - (plot.bottom - plot.top) * share)

export function text(x: number, y: number, words: string, anchor: 'start' | 'middle' | 'end' = 'start'): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}">${escaped(words)}</text>`
}

/** A figure as one reads it: 6,100 and 0.4. */
export function label(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: value < 10 ? 1 : 0 })
}

export const round = (value: number): number => Math.round(value * 10) / 10

function legend(series: string[]): string[] {
  const width = (plot.right - plot.left) / series.length
  return series.map((name, index) => {
    const x = plot.left + index * width
    return `<rect x="${round(x)}" y="315" width="12" height="12" fill="${colourOf(index)}"/>${text(x + 18, 326, name)}`
  })
}

/** A round number of which the value has four or less. */
function stepOf(value: number): number {
  const rough = (value || 1) / 4
  const power = 10 ** Math.floor(Math.log10(rough))
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough) ?? power
}

const escaped = (words: string): string =>
  words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
