import { colourOf, frame, label, linearScale, plot, round, text } from './frame.ts'

export type Bars = {
  title: string
  unit: string
  series: string[]
  /** One bar for each series; of what was not measured there is none. */
  groups: { name: string; values: (number | undefined)[] }[]
}

/** Bars side by side, each with its figure. */
export function drawBars({ title, unit, series, groups }: Bars): string {
  const scale = linearScale(groups.flatMap(({ values }) => values.map((value) => value ?? 0)))
  const room = (plot.right - plot.left) / groups.length
  const width = Math.min(56, (room * 0.8) / series.length)
  const marks = groups.flatMap(({ name, values }, index) => {
    const middle = plot.left + room * (index + 0.5)
    const bars = values.flatMap((value, nth) => {
      if (value === undefined) return []
      const x = middle + (nth - series.length / 2) * width
      const y = scale.heightOf(value)
      const bar = `<rect x="${round(x)}" y="${y}" width="${round(width - 3)}" height="${round(plot.bottom - y)}" fill="${colourOf(nth)}"/>`
      return [bar, text(x + width / 2, y - 5, label(value), 'middle')]
    })
    return [...bars, text(middle, plot.bottom + 18, name, 'middle')]
  })
  return frame(title, unit, scale, series, marks)
}
