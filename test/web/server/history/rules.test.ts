import t from 'tap'
import { flatten } from '../../../../web/server/src/history/fields.ts'
import { applyRules, parseRules, type Rule } from '../../../../web/server/src/history/rules.ts'

const REPORT = { thing: 'feeder-1a2b3c4d', type: 'feeder' }
const FIELDS = { temp_c: 20, hopper_pct: 62, on: true, fw: '1.2' }

function ruled(rules: Rule[], report = REPORT) {
  return applyRules(rules, report, FIELDS)
}

t.test('applyRules() drops, renames, scales, and adds the horse', async (t) => {
  t.same(ruled([]), { fields: FIELDS, addHorse: false })
  t.same(ruled([{ name: 'h', rule: 'add-horse' }]), { fields: FIELDS, addHorse: true })
  t.same(ruled([{ name: 'd', rule: 'drop', field: 'on' }])?.fields, { temp_c: 20, hopper_pct: 62, fw: '1.2' })
  t.equal(ruled([{ name: 'd', rule: 'drop' }]), undefined)
  t.same(ruled([{ name: 'r', rule: 'rename', field: 'temp_c', to: 'air_c' }])?.fields, {
    hopper_pct: 62,
    on: true,
    fw: '1.2',
    air_c: 20,
  })
  t.equal(
    ruled([{ name: 's', rule: 'scale', field: 'temp_c', factor: 1.8, offset: 32 }])?.fields['temp_c'],
    68,
  )
  t.equal(ruled([{ name: 's', rule: 'scale', field: 'fw', factor: 2 }])?.fields['fw'], '1.2', 'a text stays')
  t.same(ruled([{ name: 'r', rule: 'rename', field: 'missing', to: 'x' }])?.fields, FIELDS)
})

t.test('applyRules() goes in the order of the rules', async (t) => {
  const rename: Rule = { name: 'r', rule: 'rename', field: 'temp_c', to: 'x' }
  const scale: Rule = { name: 's', rule: 'scale', field: 'x', factor: 2 }
  t.equal(ruled([rename, scale])?.fields['x'], 40)
  t.equal(ruled([scale, rename])?.fields['x'], 20)
})

t.test('a rule is about the things that it names', async (t) => {
  const cases: [Partial<Rule>, boolean][] = [
    [{ type: 'feeder' }, true],
    [{ type: 'camera' }, false],
    [{ things: 'feeder-1a2b3c4d' }, true],
    [{ things: 'feeder-1a2b3c4' }, false],
    [{ things: 'feeder-*' }, true],
    [{ things: '*' }, true],
    [{ things: '*4d' }, true],
    [{ things: 'feeder-*-1a2b3c4d' }, false],
    [{ things: 'f*1a*4d' }, true],
    [{ things: 'f*4d*1a' }, false],
    [{ things: 'feeder-1a2b3c4d*d' }, false],
    [{ type: 'camera', things: '*' }, false],
  ]
  for (const [selection, isAbout] of cases)
    t.equal(
      ruled([{ name: 'd', rule: 'drop', ...selection } as Rule]) === undefined,
      isAbout,
      JSON.stringify(selection),
    )
})

t.test('parseRules() takes a list, and names all that is wrong', async (t) => {
  const good = [{ name: 'a', rule: 'scale', type: 'feeder', field: 'temp_c', factor: 0.1 }]
  t.same(parseRules(JSON.stringify(good)), good)
  t.throws(() => parseRules('{'), /no JSON/)
  t.throws(() => parseRules('{}'), /not a list/)
  t.throws(() => parseRules(JSON.stringify(Array(101).fill(good[0]))), /more than 100/)
  const wrong = [
    { name: 'a', rule: 'scal', field: 'x' },
    { name: 'b', rule: 'rename', field: 'x' },
    { name: 'c', rule: 'scale', field: 'x', factor: '2' },
    { name: 'd', rule: 'drop', typo: 1 },
    { name: 'e', rule: 'drop', field: 'a b' },
    good[0],
    good[0],
  ]
  try {
    parseRules(JSON.stringify(wrong))
    t.fail('taken')
  } catch (error) {
    const lines = (error as Error).message.split('\n')
    t.same(
      lines.slice(1).map((line) => /rule (\d+)/.exec(line)?.[1]),
      ['1', '2', '3', '4', '5', '7'],
    )
    t.match(lines[1], /allowed: drop, rename, scale, add-horse/)
  }
})

t.test('flatten() makes fields of a state that can be asked for', async (t) => {
  t.same(
    flatten({ a: 1, b: { c: true, d: { e: 'x' } }, list: [1], nothing: null, inf: Number.POSITIVE_INFINITY }),
    {
      a: 1,
      'b.c': true,
      'b.d.e': 'x',
    },
  )
  t.same(flatten({ 'with space': 1, ['x'.repeat(65)]: 1, '': 1, ok: 1 }), { ok: 1 })
  t.same(flatten(5), {})
  t.equal(
    Object.keys(flatten(Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`f${i}`, i])))).length,
    64,
  )
  t.same(
    Object.keys(flatten(JSON.parse('{"__proto__":{"x":1},"constructor":1}'))).includes('constructor'),
    true,
  )
})
