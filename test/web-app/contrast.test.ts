import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

const tokens = readFileSync(join(import.meta.dirname, '../../web/app/src/styles/tokens.css'), 'utf8')

type Pair = { light: string; dark: string }

/** The colours by name, as the file has them: one a line. */
function coloursOf(css: string): Map<string, Pair> {
  const found = css.matchAll(/^\s*--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);$/gm)
  return new Map([...found].map(([, name = '', light = '', dark = '']) => [name, { light, dark }]))
}

/** WCAG 2.2, relative luminance. */
function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((start) => {
    const channel = Number.parseInt(hex.slice(start, start + 2), 16) / 255
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

function contrast(a: string, b: string): number {
  const [light, dark] = [luminance(a), luminance(b)].toSorted((x, y) => y - x) as [number, number]
  return (light + 0.05) / (dark + 0.05)
}

/** Ink on grounds: text needs 4.5, borders of controls and signs 3 (SC 1.4.3, 1.4.11). */
const GROUNDS = ['canvas', 'surface', 'sunken'] as const
const PAIRS: [string, string, number][] = [
  ...GROUNDS.flatMap((ground) =>
    ['ink', 'ink-soft', 'accent', 'accent-strong', 'good', 'warn', 'bad'].map(
      (ink): [string, string, number] => [ink, ground, 4.5],
    ),
  ),
  ...(['good', 'warn', 'bad'] as const).flatMap((tone): [string, string, number][] => [
    [tone, `${tone}-tint`, 4.5],
    ['ink', `${tone}-tint`, 4.5],
    ['ink-soft', `${tone}-tint`, 4.5],
    ['surface', tone, 4.5],
  ]),
  ['accent', 'accent-tint', 4.5],
  ['accent-strong', 'accent-tint', 4.5],
  ['ink', 'accent-tint', 4.5],
  ['on-accent', 'accent', 4.5],
  ['on-accent', 'accent-strong', 4.5],
  ['canvas', 'ink', 4.5],
  ['line-strong', 'surface', 3],
  ['line-strong', 'canvas', 3],
  ['focus', 'canvas', 3],
  ['focus', 'surface', 3],
  ['good', 'sunken', 3],
]

t.test('every pair of ink and ground has its contrast, by day and by night', async (t) => {
  const colours = coloursOf(tokens)
  t.ok(colours.size >= 18, 'the file is read')
  for (const [ink, ground, least] of PAIRS)
    for (const scheme of ['light', 'dark'] as const) {
      const [a, b] = [colours.get(ink)?.[scheme], colours.get(ground)?.[scheme]]
      if (a === undefined || b === undefined) t.fail(`${ink} or ${ground} is no colour of one line`)
      else {
        const found = contrast(a, b)
        t.ok(found >= least, `${ink} on ${ground}, ${scheme}: ${found.toFixed(2)} >= ${least}`)
      }
    }
})
