import t from 'tap'
import type { CoapRequest, CoapResponse } from '../../cli/src/coap.ts'
import { Failure } from '../../cli/src/command.ts'
import { type HopResult, type ProbeOptions, runProbe } from '../../cli/src/probe.ts'

const MARK = 'this very report'

function answer(code: number, text = ''): CoapResponse {
  return { code, contentFormat: undefined, payload: new TextEncoder().encode(text), ms: 1 }
}

/** A chain that works, but for what a test says. */
async function probe(broken: Partial<ProbeOptions> & { post?: CoapResponse; health?: CoapResponse[] }) {
  const { post = answer(0x44), health = [], ...options } = broken
  const told: HopResult[] = []
  const results = await runProbe({
    coap: async ({ path }: CoapRequest) => (path[0] === 'health' ? (health.shift() ?? answer(0x45)) : post),
    queue: async () => ({ waiting: 0, inFlight: 0 }),
    readShadow: async () => ({ state: { reported: { mark: MARK } } }),
    thing: 'pesebre-probe',
    mark: MARK,
    timeoutMs: 50,
    onHop: (result) => told.push(result),
    ...options,
  })
  t.strictSame(told, results)
  return results.map(({ hop, ok, note }) => `${hop} ${ok ? 'ok' : 'broken'}: ${note}`)
}

const OK = [
  'gateway ok: 2.05 Content, ready',
  'journal ok: 2.04 Changed, the report is on disk',
  'queue ok: reachable, 0 waiting',
  'bridge ok: has written the report',
  'shadow ok: shows that very report',
]
const LATE = 'the report is not in the shadow after 0.05 s'

t.test('runProbe() walks the whole chain', async (t) => {
  t.strictSame(await probe({}), OK)
  let reads = 0
  const readShadow = async () => ({ state: { reported: { mark: ++reads < 3 ? 'an older report' : MARK } } })
  t.strictSame(await probe({ readShadow, timeoutMs: 5000 }), OK, 'it waits for that very report')
  t.equal(reads, 3)
})

t.test('runProbe() ends with the first hop that is broken, and says what is wrong', async (t) => {
  const fail = async () => {
    throw new Failure('Cannot reach it')
  }
  const absent = async () => undefined
  const cases: [Parameters<typeof probe>[0], string[]][] = [
    [{ coap: fail }, ['gateway broken: Cannot reach it']],
    [
      { health: [answer(0xa3, 'Journal cannot be written')] },
      ['gateway broken: answered 5.03 Service Unavailable: Journal cannot be written'],
    ],
    [
      { post: answer(0xa3, 'Journal is full') },
      [OK[0]!, 'journal broken: answered 5.03 Service Unavailable: Journal is full'],
    ],
    [
      { post: answer(0x84, 'Open reports are off') },
      [OK[0]!, 'journal broken: answered 4.04 Not Found: Open reports are off'],
    ],
    [{ queue: fail }, [...OK.slice(0, 2), 'queue broken: Cannot reach it']],
    [{ readShadow: fail }, [...OK.slice(0, 3), 'shadow broken: Cannot reach it']],
    [
      { readShadow: absent, health: [answer(0x45), answer(0xa3, 'Oldest unsent report is 200 s old')] },
      [...OK.slice(0, 3), `queue broken: ${LATE}; the gateway says: Oldest unsent report is 200 s old`],
    ],
    [
      { readShadow: absent, queue: async () => ({ waiting: 3, inFlight: 0 }) },
      [
        ...OK.slice(0, 2),
        'queue ok: reachable, 3 waiting',
        `bridge broken: ${LATE}; 3 messages wait in the queue: does the bridge run?`,
      ],
    ],
    [
      { readShadow: absent, queue: async () => ({ waiting: 0, inFlight: 2 }) },
      [
        ...OK.slice(0, 3),
        `bridge broken: ${LATE}; the bridge has taken 2 messages and not finished: see its log`,
      ],
    ],
    [
      { readShadow: absent },
      [
        ...OK.slice(0, 3),
        `bridge broken: ${LATE}, and the queue is empty: see the bridge's log, and npx pesebre dlq list`,
      ],
    ],
  ]
  for (const [broken, expected] of cases) t.strictSame(await probe(broken), expected)
})

t.test('runProbe() does not hide our own mistakes', async (t) => {
  const coap = async () => {
    throw new TypeError('x is not a function')
  }
  await t.rejects(probe({ coap }), TypeError)
})
