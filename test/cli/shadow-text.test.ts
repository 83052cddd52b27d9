import t from 'tap'
import { showAge, showDuration } from '../../cli/src/age.ts'
import { shadowText } from '../../cli/src/shadow-text.ts'

const NOW = 1_800_000_000_000
const seconds = NOW / 1000
const paint = (_style: unknown, text: string) => text

t.test('shadowText() shows each key with its value and its age, and what the bridge wrote', async (t) => {
  const text = shadowText({
    title: 'bella',
    now: NOW,
    paint,
    document: {
      version: 7,
      state: {
        reported: {
          hopper_pct: 62,
          pos: { x: 1, y: 2 },
          link: { at: NOW - 4000, seq: 17, gateway: 'a', interval_s: 300 },
        },
        desired: { light: true },
        delta: { light: true },
      },
      metadata: {
        reported: {
          hopper_pct: { timestamp: seconds - 4 },
          pos: { x: { timestamp: seconds - 90 }, y: { timestamp: seconds - 7200 } },
        },
        desired: { light: { timestamp: seconds } },
      },
    },
  })
  t.strictSame(text.split('\n'), [
    'bella  version 7',
    'reported',
    '  hopper_pct  62             4 s ago',
    '  pos         {"x":1,"y":2}  1 min ago',
    '  report 17 by gateway a, measured 4 s ago, next within 300 s',
    'desired',
    '  light  true  now',
    'delta',
    '  light  true',
  ])
})

t.test('shadowText() copes with a shadow that is almost empty', async (t) => {
  const text = shadowText({ title: 'x', now: NOW, paint, document: { version: 1, state: { reported: {} } } })
  t.equal(text, 'x  version 1\nreported\n  (nothing)')
})

t.test('showDuration() and showAge() use one unit', async (t) => {
  const cases: [number, string, string][] = [
    [0.04, '0.0 ms', 'now'],
    [9.96, '10.0 ms', 'now'],
    [12.4, '12 ms', 'now'],
    [1500, '1.5 s', '1 s ago'],
    [59_999, '59 s', '59 s ago'],
    [60_000, '1 min', '1 min ago'],
    [7_200_000, '2 h', '2 h ago'],
    [200_000_000, '2 d', '2 d ago'],
    [-50, '0.0 ms', 'now'],
  ]
  for (const [ms, duration, age] of cases) t.strictSame([showDuration(ms), showAge(ms)], [duration, age])
})
