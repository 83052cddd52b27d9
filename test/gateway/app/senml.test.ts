import t from 'tap'
import { samplesOf } from '../../../gateway/src/app/body.ts'
import { resolveSenml, type Sample } from '../../../gateway/src/app/senml.ts'
import { hex, refusal, utf8 } from './fixtures.ts'

const NOW = 1_700_000_000_000
const DEV = 'urn:dev:ow:10e2073a01080063'

function resolve(json: string): Sample[] {
  return resolveSenml(JSON.parse(json), NOW)
}

/** What the RFC's examples mean (RFC 8428, sections 5.1 and 6). */
const EXAMPLES: { section: string; json: string; samples: Sample[] }[] = [
  {
    section: '5.1.1 single data point',
    json: `[{"n":"${DEV}","u":"Cel","v":23.1}]`,
    samples: [{ at: NOW, state: { [DEV]: 23.1 } }],
  },
  {
    section: '5.1.2 multiple data points',
    json: `[{"bn":"${DEV}:","n":"voltage","u":"V","v":120.1},{"n":"current","u":"A","v":1.2}]`,
    samples: [{ at: NOW, state: { [`${DEV}:voltage`]: 120.1, [`${DEV}:current`]: 1.2 } }],
  },
  {
    section: '5.1.2 with times before a base time, and version 5',
    json: `[{"bn":"urn:dev:ow:10e2073a0108006:","bt":1.276020076001e+09,"bu":"A","bver":5,"n":"voltage","u":"V",
      "v":120.1},{"n":"current","t":-5,"v":1.2},{"n":"current","t":-4,"v":1.3},{"n":"current","t":-3,"v":1.4},
      {"n":"current","t":-2,"v":1.5},{"n":"current","t":-1,"v":1.6},{"n":"current","v":1.7}]`,
    samples: [1.2, 1.3, 1.4, 1.5, 1.6, 1.7].map((v, i) => ({
      at: 1_276_020_071_001 + i * 1000,
      state: {
        ...(i === 5 && { 'urn:dev:ow:10e2073a0108006:voltage': 120.1 }),
        'urn:dev:ow:10e2073a0108006:current': v,
      },
    })),
  },
  {
    section: '5.1.2 the beginning of a stream',
    json: `[{"bn":"${DEV}","bt":1.320067464e+09,"bu":"%RH","v":21.2},{"t":10,"v":21.3},{"t":20,"v":21.4},
      {"t":91,"v":21.5}]`,
    samples: [
      [0, 21.2],
      [10, 21.3],
      [20, 21.4],
      [91, 21.5],
    ].map(([s, v]) => ({ at: (1_320_067_464 + s!) * 1000, state: { [DEV]: v! } })),
  },
  {
    section: '5.1.3 multiple measurements: one name in several units',
    json: `[{"bn":"${DEV}","bt":1.320067464e+09,"bu":"%RH","v":20},{"u":"lon","v":24.30621},
      {"u":"lat","v":60.07965},{"t":60,"v":20.3},{"u":"lon","t":60,"v":24.30622},{"u":"lat","t":60,"v":60.07965},
      {"t":120,"v":20.7},{"u":"lon","t":120,"v":24.30623},{"u":"lat","t":120,"v":60.07966},
      {"u":"%EL","t":150,"v":98},{"t":180,"v":21.2},{"u":"lon","t":180,"v":24.30628},
      {"u":"lat","t":180,"v":60.07967}]`,
    samples: (
      [
        [0, 20, 24.30621, 60.07965],
        [60, 20.3, 24.30622, 60.07965],
        [120, 20.7, 24.30623, 60.07966],
        [150, 98],
        [180, 21.2, 24.30628, 60.07967],
      ] as const
    ).map(([s, v, lon, lat]) => ({
      at: (1_320_067_464 + s) * 1000,
      state: lat ? { [`${DEV}.%RH`]: v, [`${DEV}.lon`]: lon, [`${DEV}.lat`]: lat } : { [`${DEV}.%EL`]: v },
    })),
  },
  {
    section: '5.1.4 resolved data',
    json: `[{"n":"${DEV}","u":"%RH","t":1.320067464e+09,"v":20},{"n":"${DEV}","u":"lon","t":1.320067464e+09,
      "v":24.30621}]`,
    samples: [{ at: 1_320_067_464_000, state: { [`${DEV}.%RH`]: 20, [`${DEV}.lon`]: 24.30621 } }],
  },
  {
    section: '5.1.5 multiple data types',
    json: `[{"bn":"${DEV}:","n":"temp","u":"Cel","v":23.1},{"n":"label","vs":"Machine Room"},
      {"n":"open","vb":false},{"n":"nfc-reader","vd":"aGkgCg"}]`,
    samples: [
      {
        at: NOW,
        state: {
          [`${DEV}:temp`]: 23.1,
          [`${DEV}:label`]: 'Machine Room',
          [`${DEV}:open`]: false,
          [`${DEV}:nfc-reader`]: 'aGkgCg',
        },
      },
    ],
  },
  {
    section: '5.1.6 collection of resources: a second base name keeps the base time',
    json: `[{"bn":"2001:db8::2/","bt":1.320078429e+09,"n":"temperature","u":"Cel","v":25.2},
      {"n":"humidity","u":"%RH","v":30},{"bn":"2001:db8::1/","n":"temperature","u":"Cel","v":12.3},
      {"n":"humidity","u":"%RH","v":67}]`,
    samples: [
      {
        at: 1_320_078_429_000,
        state: {
          '2001:db8::2/temperature': 25.2,
          '2001:db8::2/humidity': 30,
          '2001:db8::1/temperature': 12.3,
          '2001:db8::1/humidity': 67,
        },
      },
    ],
  },
  {
    section: '5.1.7 setting an actuator: a record with nothing but a base name',
    json: `[{"bn":"${DEV}:"},{"n":"temp","u":"Cel","v":23.1},{"n":"heat","u":"/","v":1},{"n":"fan","u":"/","v":0}]`,
    samples: [{ at: NOW, state: { [`${DEV}:temp`]: 23.1, [`${DEV}:heat`]: 1, [`${DEV}:fan`]: 0 } }],
  },
  {
    section: '5.1.7 two lights, dimmed now and off 100 ms later',
    json: `[{"bt":1.320078429e+09,"bu":"/","n":"2001:db8::3","v":0.5},{"n":"2001:db8::4","v":0.5},
      {"n":"2001:db8::3","t":0.1,"v":0},{"n":"2001:db8::4","t":0.1,"v":0}]`,
    samples: [
      { at: 1_320_078_429_000, state: { '2001:db8::3': 0.5, '2001:db8::4': 0.5 } },
      { at: 1_320_078_429_100, state: { '2001:db8::3': 0, '2001:db8::4': 0 } },
    ],
  },
]

t.test('resolveSenml() resolves every example of RFC 8428 section 5', async (t) => {
  for (const { section, json, samples } of EXAMPLES) t.strictSame(resolve(json), samples, section)
})

t.test('samplesOf() resolves the CBOR example of RFC 8428 section 6 like its JSON', async (t) => {
  const example =
    hex(`87 a7 21 78 1b 75 72 6e 3a 64 65 76 3a 6f 77 3a 31 30 65 32 30 37 33 61 30 31 30 38 30 30 36 3a
    22 fb 41 d3 03 a1 5b 00 10 62 23 61 41 20 05 00 67 76 6f 6c 74 61 67 65 01 61 56 02 fb 40 5e 06 66 66 66 66 66
    a3 00 67 63 75 72 72 65 6e 74 06 24 02 fb 3f f3 33 33 33 33 33 33 a3 00 67 63 75 72 72 65 6e 74 06 23 02 fb 3f f4
    cc cc cc cc cc cd a3 00 67 63 75 72 72 65 6e 74 06 22 02 fb 3f f6 66 66 66 66 66 66 a3 00 67 63 75 72 72 65 6e 74
    06 21 02 f9 3e 00 a3 00 67 63 75 72 72 65 6e 74 06 20 02 fb 3f f9 99 99 99 99 99 9a a3 00 67 63 75 72 72 65 6e 74
    06 00 02 fb 3f fb 33 33 33 33 33 33`)
  t.strictSame(samplesOf(example, 112, NOW), EXAMPLES[2]!.samples)
})

t.test('samplesOf() resolves every example in its CBOR form alike', async (t) => {
  const LABELS = ['bver', 'bn', 'bt', 'bu', 'bv', 'bs'].map((label, i) => [label, -1 - i] as const)
  const numbers = new Map<string, number>([
    ...LABELS,
    ...['n', 'u', 'v', 'vs', 'vb', 's', 't', 'ut', 'vd'].map((label, i) => [label, i] as const),
  ])
  for (const { section, json, samples } of EXAMPLES) {
    const records = JSON.parse(json) as Record<string, unknown>[]
    const maps = records.map((record) => {
      const entries = Object.entries(record).map(([label, value]) =>
        Buffer.concat([head(numbers.get(label)!), label === 'vd' ? bytes(String(value)) : item(value)]),
      )
      return Buffer.concat([Buffer.of(0xa0 | entries.length), ...entries])
    })
    t.strictSame(
      samplesOf(Buffer.concat([Buffer.of(0x80 | maps.length), ...maps]), 112, NOW),
      samples,
      section,
    )
  }
})

function head(label: number): Buffer {
  return Buffer.of(label < 0 ? 0x20 | (-1 - label) : label)
}

function item(value: unknown): Buffer {
  if (typeof value === 'boolean') return Buffer.of(value ? 0xf5 : 0xf4)
  if (typeof value === 'string') return Buffer.concat([Buffer.of(0x78, value.length), utf8(value)])
  const float = Buffer.alloc(9, 0xfb)
  float.writeDoubleBE(value as number, 1)
  return float
}

function bytes(base64url: string): Buffer {
  const raw = Buffer.from(base64url, 'base64url')
  return Buffer.concat([Buffer.of(0x40 | raw.length), raw])
}

t.test('resolveSenml() applies base fields until the next of their kind', async (t) => {
  const cases: [what: string, json: string, state: object][] = [
    [
      'base value',
      '[{"bv":10,"n":"a","v":1},{"n":"b","v":2},{"bv":0,"n":"c","v":3}]',
      { a: 11, b: 12, c: 3 },
    ],
    ['base value without a value', '[{"bv":10,"n":"a"}]', { a: 10 }],
    ['base value beside text', '[{"bv":10,"n":"a","vs":"x"}]', { a: 'x' }],
    ['sum alone', '[{"n":"a","s":5}]', { a: 5 }],
    ['sum beside a value', '[{"n":"a","v":1,"s":5}]', { a: 1, 'a.sum': 5 }],
    ['base sum', '[{"bs":100,"n":"a","s":5},{"n":"b","s":6}]', { a: 105, b: 106 }],
    ['base sum without a sum', '[{"bs":100,"n":"a","v":1}]', { a: 1, 'a.sum': 100 }],
    ['base name alone names', '[{"bn":"a","v":1}]', { a: 1 }],
    ['base name replaced', '[{"bn":"a/","n":"x","v":1},{"bn":"b/","n":"x","v":2}]', { 'a/x': 1, 'b/x': 2 }],
    [
      'base unit tells names apart',
      '[{"bu":"V","n":"a","v":1},{"u":"A","n":"a","v":2}]',
      { 'a.V': 1, 'a.A': 2 },
    ],
    ['no unit beside one', '[{"n":"a","v":1},{"u":"A","n":"a","v":2}]', { a: 1, 'a.A': 2 }],
    ['the later of two', '[{"n":"a","v":1},{"n":"a","v":2}]', { a: 2 }],
    ['unknown fields are ignored', '[{"n":"a","v":1,"x":2,"2":7,"ut":60,"b":{"c":1}}]', { a: 1 }],
    ['names of object members', '[{"n":"constructor","v":1,"toString":2}]', { constructor: 1 }],
    ['version 10', '[{"bver":10,"n":"a","v":1}]', { a: 1 }],
    ['every character of a name', '[{"n":"aZ0-:./_","v":1}]', { 'aZ0-:./_': 1 }],
    [
      'zero, false and nothing written',
      '[{"n":"a","v":0},{"n":"b","vb":false},{"n":"c","vs":""}]',
      { a: 0, b: false, c: '' },
    ],
  ]
  for (const [what, json, state] of cases) t.strictSame(resolve(json), [{ at: NOW, state }], what)
})

t.test('resolveSenml() takes times below 2^28 against the arrival, others from 1970', async (t) => {
  const cases: [time: string, at: number][] = [
    ['"t":0', NOW],
    ['"t":-60', NOW - 60_000],
    ['"t":0.0004', NOW],
    ['"t":1.5', NOW + 1500],
    ['"t":268435455', NOW + 268_435_455_000],
    ['"t":268435456', 268_435_456_000],
    ['"bt":-10,"t":-5', NOW - 15_000],
    ['"bt":268435450,"t":6', 268_435_456_000],
    ['"bt":1700000000.25', 1_700_000_000_250],
    [`"t":-${NOW / 1000}`, 0],
    ['"t":9007199254740', 9_007_199_254_740_000],
  ]
  for (const [time, at] of cases)
    t.strictSame(resolve(`[{"n":"a","v":1,${time}}]`), [{ at, state: { a: 1 } }], time)
})

t.test('resolveSenml() refuses packs that RFC 8428 forbids, and says which record', async (t) => {
  const cases: [what: string, json: string, refused: string][] = [
    ['a map', '{"n":"a","v":1}', 'SenML pack must be an array'],
    ['nothing', 'null', 'SenML pack must be an array'],
    ['an empty pack', '[]', 'SenML pack has no values'],
    ['only base fields', '[{"bn":"a","bt":5}]', 'SenML pack has no values'],
    ['only a unit', '[{"n":"a","u":"V"}]', 'SenML pack has no values'],
    ['a record that is no map', '[{"n":"a","v":1},5]', 'SenML record 1 is not a map'],
    ['a record that is a list', '[[]]', 'SenML record 0 is not a map'],
    [
      'a field that must be understood',
      '[{"n":"a","v":1,"new_":2}]',
      'SenML record 0 has the unknown field "new_"',
    ],
    [
      'the same in a record without a value',
      '[{"bfuture_":2}]',
      'SenML record 0 has the unknown field "bfuture_"',
    ],
    [
      '__proto__ ends in "_" too',
      '[{"n":"a","v":1,"__proto__":2}]',
      'SenML record 0 has the unknown field "__proto__"',
    ],
    ['a higher version', '[{"bver":11,"n":"a","v":1}]', 'SenML record 0 has version 11: above 10'],
    [
      'a version that is text',
      '[{"bver":"10","n":"a","v":1}]',
      'SenML record 0 has a "bver" that is not a number',
    ],
    ['no name', '[{"v":1}]', 'SenML record 0 has the name ""'],
    ['a name that begins wrong', '[{"n":"_a","v":1}]', 'SenML record 0 has the name "_a"'],
    ['a name with a space', '[{"n":"a b","v":1}]', 'SenML record 0 has the name "a b"'],
    ['a name with a line break', '[{"n":"a\\n","v":1}]', 'SenML record 0 has the name "a\n"'],
    ['a name that is no text', '[{"n":1,"v":1}]', 'SenML record 0 has a "n" that is not text'],
    [
      'a base name that is no text',
      '[{"bn":null,"n":"a","v":1}]',
      'SenML record 0 has a "bn" that is not text',
    ],
    ['a value that is text', '[{"n":"a","v":"1"}]', 'SenML record 0 has a "v" that is not a number'],
    ['a value of 1e400', '[{"n":"a","v":1e400}]', 'SenML record 0 has a "v" that is not a number'],
    ['text that is a number', '[{"n":"a","vs":1}]', 'SenML record 0 has a "vs" that is not text'],
    ['a boolean that is none', '[{"n":"a","vb":0}]', 'SenML record 0 has a "vb" that is not a boolean'],
    ['data that is none', '[{"n":"a","vd":5}]', 'SenML record 0 has a "vd" that is not data'],
    ['two values', '[{"n":"a","v":1,"vs":"x"}]', 'SenML record 0 has more than one value'],
    ['a sum that is text', '[{"n":"a","s":"x"}]', 'SenML record 0 has a "s" that is not a number'],
    ['a time that is text', '[{"n":"a","v":1,"t":"x"}]', 'SenML record 0 has a "t" that is not a number'],
    ['a time before 1970', '[{"n":"a","v":1,"t":-1700000001}]', 'SenML record 0 has a time before 1970'],
    [
      'a time that no integer holds',
      '[{"n":"a","v":1,"t":1e300}]',
      'SenML record 0 has a time beyond every clock',
    ],
    [
      'times that add up to infinity',
      '[{"n":"a","v":1,"bt":1.7e308,"t":1.7e308}]',
      'SenML record 0 has a time beyond every clock',
    ],
  ]
  for (const [what, json, refused] of cases)
    t.equal(
      refusal(() => resolve(json)),
      `4.00 ${refused}`,
      what,
    )
})

t.test('samplesOf() refuses a sum that overflows', async (t) => {
  const pack = utf8('[{"bv":1.7e308,"n":"a","v":1.7e308}]')
  t.equal(
    refusal(() => samplesOf(pack, 110, NOW)),
    '4.00 Number is not finite',
  )
})

t.test('resolveSenml() bounds the reports of one pack', async (t) => {
  const pack = (count: number) => Array.from({ length: count }, (_, i) => ({ n: 'a', v: i, t: -i }))
  t.equal(resolveSenml(pack(512), NOW).length, 512)
  t.equal(
    refusal(() => resolveSenml(pack(513), NOW)),
    '4.00 More than 512 SenML records',
  )
})

t.test('samplesOf() refuses two spellings of one field in a CBOR record', async (t) => {
  t.equal(
    refusal(() => samplesOf(hex('81 a3 00 6161 02 01 6176 02'), 112, NOW)),
    '4.00 SenML record 0 has "v" twice',
  )
  t.strictSame(samplesOf(hex('81 a2 616e 6161 6176 02'), 112, NOW), [{ at: NOW, state: { a: 2 } }])
})

t.test('samplesOf() takes times of 64 bits in SenML+CBOR', async (t) => {
  const pack = hex('81 a3 00 6161 02 1b0000000000000007 06 1b000000006553f100')
  t.strictSame(samplesOf(pack, 112, NOW), [{ at: 1_700_000_000_000, state: { a: 7 } }])
})
