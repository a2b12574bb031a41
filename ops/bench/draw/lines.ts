import { colourOf, frame, label, logarithmicScale, plot, round, text } from './frame.ts'

export type Lines = {
  title: string
  unit: string
  /** What the horizontal axis says, from left to right. */
  places: string[]
  series: { name: string; values: (number | undefined)[] }[]
}

/** Lines over places that are equally far apart, each point with its figure; the vertical axis goes by powers of ten. */
export function drawLines({ title, unit, places, series }: Lines): string {
  const scale = logarithmicScale(series.flatMap(({ values }) => values.map((value) => value ?? 0)))
  const room = (plot.right - plot.left) / places.length
  const across = (index: number): number => round(plot.left + room * (index + 0.5))
  const marks = series.flatMap(({ values }, nth) => {
    const points = values.flatMap((value, index) =>
      value ? [{ x: across(index), y: scale.heightOf(value), value }] : [],
    )
    const path = points.map(({ x, y }) => `${x},${y}`).join(' ')
    return [
      `<polyline points="${path}" fill="none" stroke="${colourOf(nth)}" stroke-width="2.5"/>`,
      ...points.flatMap(({ x, y, value }) => [
        `<circle cx="${x}" cy="${y}" r="4" fill="${colourOf(nth)}"/>`,
        text(x, y - 8, label(value), 'middle'),
      ]),
    ]
  })
  const names = places.map((place, index) => text(across(index), plot.bottom + 18, place, 'middle'))
  return frame(
    title,
    unit,
    scale,
    series.map(({ name }) => name),
    [...marks, ...names],
  )
}
