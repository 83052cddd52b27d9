import { formatCode } from '@pesebre/coap/codec/codes'
import type { Request } from '@pesebre/coap/endpoint/types'
import { type Report, ReportSchema } from '@pesebre/contract/report'
import fc from 'fast-check'
import t from 'tap'
import Value from 'typebox/value'
import { type OpenReportPorts, openReport } from '../../../gateway/src/app/open-report.ts'
import { refusal, request, utf8 } from './fixtures.ts'

const NOW = 1_700_000_000_000

/** A journal in memory. */
function ports(different: Partial<OpenReportPorts> = {}): OpenReportPorts & { kept: string[] } {
  const kept: string[] = []
  let seq = 100
  return {
    kept,
    keep: async (json) => {
      kept.push(`${Buffer.from(json)}`)
    },
    nextSeq: () => ++seq,
    allow: () => true,
    retryAfter: () => 7,
    clock: () => NOW,
    ...different,
  }
}

async function report(different: Partial<Request>, given = ports()): Promise<Report[]> {
  const response = await openReport(request(different), given)
  if (formatCode(response.code) !== '2.04') throw new Error(`Answered ${formatCode(response.code)}`)
  return given.kept.map((json) => JSON.parse(json) as Report)
}

t.test(
  'openReport() keeps the report as the contract has it, then answers 2.04 without a body',
  async (t) => {
    const given = ports()
    t.strictSame(await openReport(request(), given), { code: 0x44 })
    t.strictSame(given.kept, [
      `{"thing":"bella","type":"feeder","seq":101,"at":${NOW},"received":${NOW},"state":{"a":1},"link":{"size":80}}`,
    ])
    t.strictSame((await report({ noResponse: true }))[0]?.link, { size: 80, answer: false })
  },
)

t.test(
  'openReport() answers only after the report is kept, and with its failure if that fails',
  async (t) => {
    let keepIt = (): void => {}
    const waits = ports({ keep: () => new Promise<void>((resolve) => (keepIt = resolve)) })
    let isAnswered = false
    const answered = Promise.resolve(openReport(request(), waits)).then(() => (isAnswered = true))
    await new Promise((resolve) => setImmediate(resolve))
    t.notOk(isAnswered)
    keepIt()
    await answered
    const fails = ports({ keep: () => Promise.reject(new Error('disk full')) })
    await t.rejects(Promise.resolve(openReport(request(), fails)), /disk full/)
  },
)

t.test('openReport() takes exactly the names that AWS IoT takes', async (t) => {
  const good = ['a', 'Z', '0', 'a:b_c-d', '-', ':', 'x'.repeat(128), 'constructor', '__proto__']
  const bad = ['', 'x'.repeat(129), 'a b', 'a/b', 'a.b', 'ä', 'a\n', 'a\0', '"', '\\', '$aws', '+', '#', '🐴']
  for (const name of good) {
    t.equal((await report({ path: [name, 'bella'] }))[0]?.type, name)
    t.equal((await report({ path: ['feeder', name] }))[0]?.thing, name)
  }
  for (const name of bad) {
    const given = ports()
    t.equal(
      refusal(() => openReport(request({ path: [name, 'bella'] }), given)),
      '4.00 Type must be 1 to 128 of a-z A-Z 0-9 : _ -',
    )
    t.equal(
      refusal(() => openReport(request({ path: ['feeder', name] }), given)),
      '4.00 Id must be 1 to 128 of a-z A-Z 0-9 : _ -',
    )
    t.strictSame(given.kept, [])
  }
})

t.test('openReport() refuses a request with a condition, and keeps nothing', async (t) => {
  const given = ports()
  t.equal(
    refusal(() => openReport(request({ conditional: true }), given)),
    '4.02 Reports know no If-Match',
  )
  t.strictSame(given.kept, [])
})

t.test('openReport() says 4.29 with Max-Age from the queue to a device beyond its allowance', async (t) => {
  const asked: string[] = []
  const busy = ports({ allow: (thing) => asked.push(thing) < 0, retryAfter: (thing) => thing.length })
  t.throws(() => openReport(request(), busy), {
    code: 0x9d,
    retryAfter: 'bella'.length,
    message: 'Too many reports',
  })
  t.strictSame(asked, ['bella'])
  t.strictSame(busy.kept, [])
})

t.test('openReport() takes nothing from the allowance for what it refuses', async (t) => {
  const given = ports({ allow: () => t.fail('not asked') })
  t.equal(
    refusal(() => openReport(request({ payload: utf8('{') }), given)),
    '4.00 Body is not valid JSON',
  )
  t.match(
    refusal(() => openReport(request({ contentFormat: 40 }), given)),
    /^4\.15/,
  )
})

t.test('openReport() makes one record of each instant, in order of time and of seq', async (t) => {
  const payload = utf8('[{"n":"a","v":3},{"n":"a","v":1,"t":-20},{"n":"a","v":2,"t":-10}]')
  const reports = await report({ payload, contentFormat: 110 })
  t.strictSame(
    reports.map(({ seq, at, received, state }) => [seq, at, received, state]),
    [
      [101, NOW - 20_000, NOW, { a: 1 }],
      [102, NOW - 10_000, NOW, { a: 2 }],
      [103, NOW, NOW, { a: 3 }],
    ],
  )
})

t.test('openReport() escapes the two characters that SQS refuses', async (t) => {
  const given = ports()
  const [kept] = await report({ payload: utf8('{"\uffff":"a\ufffeb","c":"🐴 \ufffd \\u0001"}') }, given)
  t.match(given.kept[0], '"state":{"\\uffff":"a\\ufffeb","c":"🐴 \ufffd \\u0001"}')
  t.strictSame(kept?.state, { '\uffff': 'a\ufffeb', c: '🐴 \ufffd \u0001' })
})

t.test('openReport() keeps lone surrogates readable for every later hop', async (t) => {
  const given = ports()
  const [kept] = await report({ payload: utf8('{"a":"\\ud800","\\udfff":1}') }, given)
  t.match(given.kept[0], '{"a":"\\ud800","\\udfff":1}')
  t.ok(given.kept[0]!.isWellFormed())
  t.strictSame(kept?.state, { a: '\ud800', '\udfff': 1 })
})

/** Characters that an SQS message may hold (Amazon SQS API Reference, SendMessage), but for the line breaks: one line. */
const SQS_TEXT = /^[\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u

t.test('openReport() keeps nothing but records of the contract, one line each, that SQS takes', async (t) => {
  const state = fc.dictionary(
    fc.string({ unit: 'binary' }),
    fc.jsonValue({ stringUnit: 'binary', maxDepth: 3 }),
    {
      minKeys: 1,
      maxKeys: 8,
    },
  )
  const senml = fc.array(
    fc.record(
      { n: fc.stringMatching(/^[a-z][a-z0-9]{0,5}$/), v: fc.double(), t: fc.double(), vs: fc.string() },
      { requiredKeys: ['n'] },
    ),
    { maxLength: 6 },
  )
  const body = fc.oneof(
    state.map((value) => ({ payload: utf8(JSON.stringify(value)), contentFormat: 50 })),
    senml.map((value) => ({ payload: utf8(JSON.stringify(value)), contentFormat: 110 })),
    fc.string({ unit: 'binary' }).map((value) => ({ payload: utf8(value), contentFormat: 0 })),
    fc.uint8Array({ maxLength: 40 }).map((payload) => ({ payload, contentFormat: 60 })),
  )
  let checked = 0
  const property = fc.property(body, fc.boolean(), (sent, noResponse) => {
    const given = ports()
    refusal(() => openReport(request({ ...sent, noResponse }), given))
    return given.kept.every((json) => {
      checked++
      return Value.Check(ReportSchema, JSON.parse(json)) && SQS_TEXT.test(json)
    })
  })
  const { failed, counterexample } = fc.check(property, { numRuns: 3000 })
  t.notOk(failed, JSON.stringify(counterexample))
  t.ok(checked > 1000, `${checked} records`)
})
