/** A picture's outer measures; inside lies the plot, with room for its title, its axes and its legend. */
export const size = { width: 720, height: 340 }
export const plot = { left: 64, top: 64, right: 700, bottom: 290 }

/** What a series is drawn in: seen on white and on black, and told apart in grey too. */
const colours = ['#3b82d6', '#e08a2b', '#8d94a0', '#4aa564']
export const colourOf = (index: number): string => colours[index % colours.length] as string

/** @param unit of the vertical axis */
export type Axis = { title: string; unit: string; most: number }

/** The whole picture: `marks` between the lines of the axis and the legend. Dark letters on light, light ones on dark. */
export function frame({ title, unit, most }: Axis, series: string[], marks: string[]): string {
  const lines = ticks(most).map((value) => {
    const y = heightOf(value, most)
    return `<line class="grid" x1="${plot.left}" x2="${plot.right}" y1="${y}" y2="${y}"/>${text(plot.left - 8, y + 4, label(value), 'end')}`
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

export function heightOf(value: number, most: number): number {
  return round(plot.bottom - ((plot.bottom - plot.top) * value) / top(most))
}

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

/** Four or five round numbers from zero to the top. */
function ticks(most: number): number[] {
  const step = stepOf(most)
  return Array.from({ length: Math.round(top(most) / step) + 1 }, (_, index) => index * step)
}

const top = (most: number): number => Math.max(1, Math.ceil(most / stepOf(most))) * stepOf(most)

function stepOf(most: number): number {
  const rough = (most || 1) / 4
  const power = 10 ** Math.floor(Math.log10(rough))
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough) ?? power
}

const escaped = (words: string): string =>
  words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
