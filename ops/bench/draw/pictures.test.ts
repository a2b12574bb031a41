import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aRun, someFigures } from '../figures.fixtures.ts'
import { drawBars } from './bars.ts'
import { drawLines } from './lines.ts'
import { picturesOf } from './pictures.ts'

test('there is a picture of whatever was measured, and of nothing else', () => {
  assert.deepEqual([...picturesOf(someFigures(aRun({}))).keys()], ['throughput.svg'])
  const growth = aRun({ workload: 'growth', condition: 'full', more: { turns: 1_000, actors: 10 } })
  const [[name, picture] = []] = picturesOf(someFigures(growth))
  assert.equal(name, 'growth.svg')
  assert.match(picture ?? '', /1,000 turns of 10 actors/)
})

test('a bar is as high as its value, and has its figure', () => {
  const picture = drawBars({ title: 'T', unit: 'u', series: ['a', 'b'], groups: [{ name: 'g', values: [400, 100] }] })
  const heights = [...picture.matchAll(/<rect [^>]*height="([\d.]+)" fill="#(?:3b82d6|e08a2b)"\/>\n?/g)].map(
    ([, height]) => Number(height),
  )
  const [first = 0, second = 0] = heights
  assert.ok(Math.abs(first / second - 4) < 0.02, `${first} and ${second}`)
  assert.match(picture, />400</)
  assert.match(picture, />100</)
})

test('on a line ten times as much is always as much higher', () => {
  const picture = drawLines({
    title: 'T',
    unit: 'u',
    places: ['a', 'b', 'c'],
    series: [{ name: 's', values: [2, 20, 200] }],
  })
  const [first = 0, second = 0, third = 0] = [...picture.matchAll(/cy="([\d.]+)"/g)].map(([, y]) => Number(y))
  assert.ok(first > second && Math.abs(first - second - (second - third)) < 0.2, `${first}, ${second}, ${third}`)
})

test('what was not measured leaves a gap, and words are words in XML too', () => {
  const bars = drawBars({ title: 'T', unit: 'u', series: ['a', 'b'], groups: [{ name: 'g', values: [1, undefined] }] })
  assert.doesNotMatch(bars, /NaN|undefined/)
  const lines = drawLines({
    title: 'a < b & "c"',
    unit: 'u',
    places: ['x'],
    series: [{ name: 's', values: [undefined] }],
  })
  assert.doesNotMatch(lines, /NaN|undefined|Infinity/)
  assert.match(lines, /a &lt; b &amp; &quot;c&quot;/)
})

test('letters are dark on light and light on dark', () => {
  assert.match(picturesOf(someFigures(aRun({}))).get('throughput.svg') ?? '', /prefers-color-scheme: dark/)
})
