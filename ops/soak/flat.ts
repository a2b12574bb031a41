import { percentile } from '../percentile.ts'

export type Point = { seconds: number; mb: number }

/** A leak of less is not found in half an hour: between two windows the floor moves by some MiB of its own accord. */
export const mostMbPerHour = 30
/** By how much more may be resident at most in the second half than in the first. */
export const mostGrownMb = 32
const windows = 8

/**
 * By how much the floor of the memory in use rises, in MiB an hour: the second half of the time is cut into windows, of each
 * the least counts, and of the slopes between any two windows the median. One window with a spike or a late garbage
 * collection does not move it.
 */
export function slopeOf(points: Point[]): number {
  const [first, last] = [points[0]?.seconds ?? 0, points.at(-1)?.seconds ?? 0]
  const from = (first + last) / 2
  const width = (last - from) / windows
  const floors = Array.from({ length: windows }, (_, index) => {
    const inside = points.filter(({ seconds }) => Math.min(Math.floor((seconds - from) / width), windows - 1) === index)
    return { seconds: from + (index + 0.5) * width, mb: Math.min(...inside.map(({ mb }) => mb)) }
  }).filter(({ mb }) => Number.isFinite(mb))
  const slopes = floors.flatMap((a, index) =>
    floors.slice(index + 1).map((b) => ((b.mb - a.mb) * 3_600) / (b.seconds - a.seconds)),
  )
  return percentile(slopes, 0.5)
}
