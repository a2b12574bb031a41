import type { Sample } from './samples.ts'

type Line = { name: string; colour: string; mb(sample: Sample): number }

const lines: Line[] = [
  { name: 'daemon, resident', colour: '#1f6feb', mb: ({ daemonMb }) => daemonMb },
  { name: 'daemon, heap in use', colour: '#8957e5', mb: ({ heapUsedMb }) => heapUsedMb },
  { name: 'nats-server, resident', colour: '#2da44e', mb: ({ natsMb }) => natsMb },
]
const [width, height] = [760, 320]
const margin = { left: 56, right: 16, top: 40, bottom: 40 }
const gridLines = 5

/** Memory by time, as SVG. */
export function pictureOf(samples: Sample[]): string {
  const lastSecond = samples.at(-1)?.seconds ?? 1
  const most = Math.max(...samples.flatMap((sample) => lines.map(({ mb }) => mb(sample))))
  const stepMb = Math.max(10, Math.ceil(most / gridLines / 10) * 10)
  const x = (seconds: number): number =>
    Math.round(margin.left + (seconds / lastSecond) * (width - margin.left - margin.right))
  const y = (mb: number): number =>
    Math.round(height - margin.bottom - (mb / (stepMb * gridLines)) * (height - margin.top - margin.bottom))

  const grid = Array.from({ length: gridLines + 1 }, (_, index) => {
    const at = y(index * stepMb)
    return [
      `<line x1="${margin.left}" x2="${width - margin.right}" y1="${at}" y2="${at}" stroke="#d0d7de"/>`,
      `<text x="${margin.left - 8}" y="${at + 4}" text-anchor="end">${index * stepMb}</text>`,
    ].join('')
  })
  const times = Array.from({ length: gridLines + 1 }, (_, index) => {
    const seconds = (lastSecond * index) / gridLines
    return `<text x="${x(seconds)}" y="${height - margin.bottom + 20}" text-anchor="middle">${(seconds / 60).toFixed(1)} min</text>`
  })
  const drawn = lines.map(({ name, colour, mb }, index) => {
    const points = samples.map((sample) => `${x(sample.seconds)},${y(mb(sample))}`).join(' ')
    return [
      `<polyline fill="none" stroke="${colour}" stroke-width="1.5" points="${points}"/>`,
      `<text x="${margin.left + index * 200}" y="20" fill="${colour}">${name}, MiB</text>`,
    ].join('')
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    '<title>Memory by time</title>',
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...grid,
    ...times,
    ...drawn,
    '</svg>\n',
  ].join('\n')
}
