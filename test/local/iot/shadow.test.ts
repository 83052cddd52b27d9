import t from 'tap'
import type { Json, JsonObject } from '../../../local/src/iot/json.ts'
import {
  deleteShadow,
  getShadow,
  type Shadow,
  STATE_BYTES_MAX,
  updateShadow,
  VERSION_MEMORY_MS,
} from '../../../local/src/iot/shadow.ts'

const T0 = 1_700_000_000_000
const S0 = T0 / 1000
/** A timestamp, `seconds` after the first update. */
const at = (seconds: number) => ({ timestamp: S0 + seconds })

type Step = JsonObject | string | 'delete'
type Expected = {
  version?: number
  state?: JsonObject
  metadata?: JsonObject
  /** Message on update/delta of the last step; null: none was sent. */
  delta?: JsonObject | null
  accepted?: JsonObject
  documents?: JsonObject
  /** Code and text of the error document of the last step. */
  error?: [number, string]
}

/** Each update comes ten seconds after the one before. What the last step left is compared. */
const RULES: [rule: string, steps: Step[], expected: Expected][] = [
  // Sections and merging
  [
    'the first update makes version 1',
    [{ state: { reported: { a: 1 } } }],
    { version: 1, state: { reported: { a: 1 } }, metadata: { reported: { a: at(0) } }, delta: null },
  ],
  [
    'updates touch only the fields that they name',
    [{ state: { reported: { a: 1, b: { c: 1, d: 2 } } } }, { state: { reported: { b: { c: 3 } } } }],
    { version: 2, state: { reported: { a: 1, b: { c: 3, d: 2 } } } },
  ],
  [
    'desired and reported in one update',
    [{ state: { desired: { a: 1 }, reported: { a: 1 } } }],
    { state: { desired: { a: 1 }, reported: { a: 1 } }, delta: null },
  ],
  [
    'null removes an attribute and its metadata',
    [{ state: { reported: { a: 1, b: 2 } } }, { state: { reported: { a: null } } }],
    { state: { reported: { b: 2 } }, metadata: { reported: { b: at(0) } } },
  ],
  [
    'null removes a nested attribute',
    [{ state: { reported: { a: { b: 1, c: 2 } } } }, { state: { reported: { a: { b: null } } } }],
    { state: { reported: { a: { c: 2 } } }, metadata: { reported: { a: { c: at(0) } } } },
  ],
  [
    'null for what is not there changes nothing but the version',
    [{ state: { reported: { a: 1 } } }, { state: { reported: { x: null, y: { z: null } } } }],
    { version: 2, state: { reported: { a: 1, y: {} } } },
  ],
  [
    'a section that is null is removed',
    [{ state: { desired: { a: 1 }, reported: { a: 2 } } }, { state: { desired: null, reported: { a: 1 } } }],
    { version: 2, state: { reported: { a: 1 } }, metadata: { reported: { a: at(10) } }, delta: null },
  ],
  [
    'a section without attributes vanishes',
    [{ state: { desired: { a: 1 } } }, { state: { desired: { a: null } } }],
    { version: 2, state: {}, metadata: {} },
  ],
  ['an empty section is not stored', [{ state: { desired: {} } }], { version: 1, state: {}, metadata: {} }],
  ['an empty state is an update', [{ state: {} }, { state: {} }], { version: 2, state: {}, metadata: {} }],
  [
    'an empty object below a section is stored',
    [{ state: { desired: { a: 1, d: {} } } }],
    { state: { desired: { a: 1, d: {} }, delta: { a: 1, d: {} } } },
  ],
  [
    'an object replaces a value, and a value an object',
    [{ state: { reported: { a: 1, b: { c: 1 } } } }, { state: { reported: { a: { x: 1 }, b: 2 } } }],
    {
      state: { reported: { a: { x: 1 }, b: 2 } },
      metadata: { reported: { a: { x: at(10) }, b: at(10) } },
    },
  ],
  [
    'arrays are replaced whole',
    [{ state: { desired: { a: ['RED', 'GREEN', 'BLUE'] } } }, { state: { desired: { a: ['RED'] } } }],
    { state: { desired: { a: ['RED'] }, delta: { a: ['RED'] } }, metadata: { desired: { a: [at(10)] } } },
  ],
  [
    'what stands beside desired and reported is ignored at the top',
    [{ state: { reported: { a: 1 } }, note: 'x' }],
    { state: { reported: { a: 1 } } },
  ],
  [
    'names that mean something in JavaScript are plain keys',
    ['{"state":{"reported":{"__proto__":{"a":1},"constructor":2,"toString":{"b":3}}}}'],
    { state: JSON.parse('{"reported":{"__proto__":{"a":1},"constructor":2,"toString":{"b":3}}}') },
  ],

  // Metadata
  [
    'timestamps stay with what an update does not carry, and move with what it does',
    [{ state: { reported: { a: 1, b: { c: 1, d: 1 } } } }, { state: { reported: { a: 1, b: { c: 2 } } } }],
    { metadata: { reported: { a: at(10), b: { c: at(10), d: at(0) } } } },
  ],
  [
    'an array has a timestamp for each element',
    [{ state: { reported: { rgb: [1, 2, { x: 3 }] } } }],
    { metadata: { reported: { rgb: [at(0), at(0), { x: at(0) }] } } },
  ],
  [
    'a desired update leaves the metadata of reported alone',
    [{ state: { reported: { a: 1 } } }, { state: { desired: { a: 1 } } }],
    { metadata: { desired: { a: at(10) }, reported: { a: at(0) } } },
  ],

  // Delta
  [
    'delta has what differs and what is absent in reported, and not what only reported has',
    [{ state: { desired: { a: 1, b: 2, c: 3 }, reported: { a: 1, b: 0, z: 9 } } }],
    {
      state: { desired: { a: 1, b: 2, c: 3 }, reported: { a: 1, b: 0, z: 9 }, delta: { b: 2, c: 3 } },
      delta: { version: 1, timestamp: S0, state: { b: 2, c: 3 }, metadata: { b: at(0), c: at(0) } },
    },
  ],
  [
    'delta has every difference, whatever the update carried, with the metadata of desired',
    [{ state: { desired: { a: 1, b: 2 } } }, { state: { reported: { a: 1 } } }],
    { delta: { version: 2, timestamp: S0 + 10, state: { b: 2 }, metadata: { b: at(0) } } },
  ],
  [
    'what is deleted from reported but desired is in the delta',
    [{ state: { desired: { a: 1 }, reported: { a: 1 } } }, { state: { reported: { a: null } } }],
    { state: { desired: { a: 1 }, delta: { a: 1 } } },
  ],
  [
    'delta has the path to the root and nothing beside it',
    [
      {
        state: {
          desired: { lights: { color: { r: 255, g: 255, b: 255 } } },
          reported: { lights: { color: { r: 255, g: 0, b: 255 } } },
        },
      },
    ],
    {
      delta: {
        version: 1,
        timestamp: S0,
        state: { lights: { color: { g: 255 } } },
        metadata: { lights: { color: { g: at(0) } } },
      },
    },
  ],
  [
    'an array that differs in one element is in the delta whole',
    [{ state: { desired: { a: [1, 2, 3] }, reported: { a: [1, 2, 4] } } }],
    { delta: { version: 1, timestamp: S0, state: { a: [1, 2, 3] }, metadata: { a: [at(0), at(0), at(0)] } } },
  ],
  [
    'equal arrays and objects are not in the delta, whatever the order of keys',
    [{ state: { desired: { a: [{ x: 1, y: 2 }] }, reported: { a: [{ y: 2, x: 1 }] } } }],
    { delta: null },
  ],
  [
    'an object desired where a value is reported is in the delta',
    [{ state: { desired: { a: { b: 1 } }, reported: { a: 1 } } }],
    { delta: { version: 1, timestamp: S0, state: { a: { b: 1 } }, metadata: { a: { b: at(0) } } } },
  ],
  [
    'types count: 1 is not "1"',
    [{ state: { desired: { a: 1 }, reported: { a: '1' } } }],
    { state: { desired: { a: 1 }, reported: { a: '1' }, delta: { a: 1 } } },
  ],

  // Answers
  [
    'accepted has only what the request carried, a null stamped like a value',
    [
      { state: { desired: { a: 1, b: 2 }, reported: { c: 3 } } },
      { state: { desired: { a: null }, reported: null }, clientToken: 'token' },
    ],
    {
      accepted: {
        state: { desired: { a: null }, reported: null },
        metadata: { desired: { a: at(10) }, reported: at(10) },
        version: 2,
        timestamp: S0 + 10,
        clientToken: 'token',
      },
    },
  ],
  [
    'documents has the shadow before and after, without delta',
    [{ state: { desired: { a: 1 } } }, { state: { reported: { a: 0 } }, clientToken: 'token' }],
    {
      documents: {
        previous: { state: { desired: { a: 1 } }, metadata: { desired: { a: at(0) } }, version: 1 },
        current: {
          state: { desired: { a: 1 }, reported: { a: 0 } },
          metadata: { desired: { a: at(0) }, reported: { a: at(10) } },
          version: 2,
        },
        timestamp: S0 + 10,
        clientToken: 'token',
      },
    },
  ],
  [
    'a client token of 64 bytes is echoed',
    [{ state: {}, clientToken: 'é'.repeat(32) }],
    {
      accepted: { state: {}, metadata: {}, version: 1, timestamp: S0, clientToken: 'é'.repeat(32) },
    },
  ],

  // Versions
  ['the right version passes', [{ state: { desired: { a: 1 } } }, { state: {}, version: 1 }], { version: 2 }],
  [
    'an older version',
    [{ state: {} }, { state: {} }, { state: {}, version: 1 }],
    { error: [409, 'Version conflict'] },
  ],
  ['a newer version', [{ state: {} }, { state: {}, version: 2 }], { error: [409, 'Version conflict'] }],
  ['a version where there is no shadow', [{ state: {}, version: 1 }], { error: [409, 'Version conflict'] }],
  ['version 0 where there is no shadow', [{ state: {}, version: 0 }], { error: [409, 'Version conflict'] }],
  [
    'a version after a delete',
    [{ state: {} }, 'delete', { state: {}, version: 1 }],
    { error: [409, 'Version conflict'] },
  ],
  [
    'a deleted shadow starts empty, its version goes on',
    [{ state: { desired: { a: 1 } } }, { state: {} }, 'delete', { state: { reported: { b: 1 } } }],
    {
      version: 3,
      state: { reported: { b: 1 } },
      documents: {
        current: { state: { reported: { b: 1 } }, metadata: { reported: { b: at(30) } }, version: 3 },
        timestamp: S0 + 30,
      },
    },
  ],

  // Refusals
  ['no JSON', ['{"state":'], { error: [400, 'Invalid JSON'] }],
  ['nothing', [''], { error: [400, 'Invalid JSON'] }],
  ['JSON that is no object', ['[]'], { error: [400, 'Invalid JSON'] }],
  ['no state', [{}], { error: [400, 'Missing required node: state'] }],
  ['state that is null', [{ state: null }], { error: [400, 'State node must be an object'] }],
  ['state that is an array', [{ state: [] }], { error: [400, 'State node must be an object'] }],
  [
    'another node in state',
    [{ state: { delta: {} } }],
    { error: [400, "State contains an invalid node: 'delta'"] },
  ],
  [
    'desired that is a value',
    [{ state: { desired: 1 } }],
    { error: [400, 'Desired node must be an object'] },
  ],
  [
    'reported that is an array',
    [{ state: { reported: [] } }],
    { error: [400, 'Reported node must be an object'] },
  ],
  ['version that is text', [{ state: {}, version: '1' }], { error: [400, 'Invalid version'] }],
  ['version that is a fraction', [{ state: {}, version: 1.5 }], { error: [400, 'Invalid version'] }],
  ['version below zero', [{ state: {}, version: -1 }], { error: [400, 'Invalid version'] }],
  [
    'a client token of 65 bytes',
    [{ state: {}, clientToken: 'x'.repeat(65) }],
    { error: [400, 'Invalid clientToken'] },
  ],
  [
    'a client token that is no text',
    [{ state: {}, clientToken: 1 }],
    { error: [400, 'Invalid clientToken'] },
  ],
  [
    'null in an array',
    [{ state: { desired: { colors: [null, 'RED'] } } }],
    { error: [400, "State contains an invalid node: 'colors'"] },
  ],
  [
    'null in an array in an array',
    [{ state: { desired: { a: { b: [[1], [null]] } } } }],
    { error: [400, "State contains an invalid node: 'b'"] },
  ],
  [
    'seven levels',
    [{ state: { desired: nested(7) } }],
    { error: [400, 'JSON contains too many levels of nesting; maximum is 6'] },
  ],
  ['six levels', [{ state: { desired: nested(6) } }], { version: 1 }],
  [
    'arrays as the seventh level',
    [{ state: { reported: { a: { b: { c: { d: { e: { f: [1] } } } } } } } }],
    { error: [400, 'JSON contains too many levels of nesting; maximum is 6'] },
  ],
  [
    'a hundred thousand levels',
    [`{"state":{"reported":{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}}}`],
    { error: [400, 'JSON contains too many levels of nesting; maximum is 6'] },
  ],
]

for (const [rule, steps, expected] of RULES) {
  t.test(`updateShadow: ${rule}`, async (t) => {
    const end = play(steps)
    if (expected.error !== undefined) {
      t.same(end.error, expected.error)
      return
    }
    t.equal(end.error, undefined)
    if (expected.version !== undefined) t.equal(end.shadow?.version, expected.version)
    if (expected.state !== undefined)
      t.strictSame(stateOf(end.shadow), withoutOrWith(expected.state, end.shadow))
    if (expected.metadata !== undefined) t.strictSame(end.shadow?.metadata, expected.metadata)
    if (expected.delta !== undefined) t.strictSame(end.delta ?? null, expected.delta)
    if (expected.accepted !== undefined) t.strictSame(end.accepted, expected.accepted)
    if (expected.documents !== undefined) t.strictSame(end.documents, expected.documents)
  })
}

t.test(
  'updateShadow: the limit of 8 kB counts the state after the update, not metadata or white space',
  async (t) => {
    // {"reported":{"a":"..."}}
    const full = 'x'.repeat(STATE_BYTES_MAX - 21)
    t.equal(play([{ state: { reported: { a: full } } }]).error, undefined, 'to the byte')
    t.same(play([{ state: { reported: { a: `${full}x` } } }]).error, [
      413,
      'The payload exceeds the maximum size allowed',
    ])
    t.same(
      play([{ state: { reported: { a: full } } }, { state: { desired: { b: 1 } } }]).error,
      [413, 'The payload exceeds the maximum size allowed'],
      'desired and reported together',
    )
    const spaced = JSON.stringify({ state: { reported: { a: full } } }, null, 10).padEnd(20_000)
    t.equal(play([spaced]).error, undefined)
    const many = Object.fromEntries(Array.from({ length: 700 }, (_, index) => [`k${index}`, index]))
    t.equal(play([{ state: { reported: many } }]).error, undefined, 'with 20 kB of metadata')
    t.same(play([{ state: { reported: { a: 'é'.repeat(4096) } } }]).error?.[0], 413, 'bytes, not characters')
  },
)

t.test('updateShadow: text that is not UTF-8 is refused', async (t) => {
  const outcome = updateShadow(undefined, Buffer.from('{"state":{"reported":{"a":"\xff"}}}', 'latin1'), T0)
  t.match(outcome, {
    ok: false,
    error: { code: 415, message: 'Unsupported documented encoding; supported encoding is UTF-8' },
  })
})

t.test('updateShadow: an error carries the client token of a request that could be read', async (t) => {
  const outcome = updateShadow(undefined, Buffer.from('{"clientToken":"abc"}'), T0)
  t.same(outcome, {
    ok: false,
    error: { code: 400, message: 'Missing required node: state', clientToken: 'abc' },
  })
})

t.test('updateShadow: neither the shadow before nor the request is changed', async (t) => {
  const before = play([{ state: { desired: { a: { b: 1 } }, reported: { a: { b: 2 } } } }]).shadow!
  const copy = structuredClone(before)
  updateShadow(before, Buffer.from('{"state":{"desired":{"a":{"b":null,"c":1}},"reported":null}}'), T0)
  t.strictSame(before, copy)
})

t.test('updateShadow: a deleted version is remembered for 48 hours and then forgotten', async (t) => {
  const shadow = play([{ state: {} }, { state: {} }, { state: {} }]).shadow
  const deleted = deleteShadow(shadow, 'bella', { now: T0 })
  t.match(deleted, { ok: true, value: { accepted: { version: 3, timestamp: S0 } } })
  const gone = deleted.ok ? deleted.value.shadow : undefined
  const after = (ms: number) => {
    const outcome = updateShadow(gone, Buffer.from('{"state":{}}'), T0 + ms)
    return outcome.ok ? outcome.value.shadow.version : outcome.error
  }
  t.equal(after(0), 4)
  t.equal(after(VERSION_MEMORY_MS), 4)
  t.equal(after(VERSION_MEMORY_MS + 1), 1)
})

t.test('getShadow: state with delta, metadata, version, and the time of the answer', async (t) => {
  const { shadow } = play([{ state: { desired: { a: 1 }, reported: { a: 2 } } }])
  t.strictSame(getShadow(shadow, 'bella', { now: T0 + 5999 }), {
    ok: true,
    value: {
      state: { desired: { a: 1 }, reported: { a: 2 }, delta: { a: 1 } },
      metadata: { desired: { a: at(0) }, reported: { a: at(0) } },
      version: 1,
      timestamp: S0 + 5,
    },
  })
})

t.test('getShadow, deleteShadow: what does not exist is named, the client token echoed', async (t) => {
  const payload = Buffer.from('{"clientToken":"abc"}')
  const error = { code: 404, message: "No shadow exists with name: 'bella'", clientToken: 'abc' }
  const deleted: Shadow = { version: 3, state: {}, metadata: {}, deletedAt: T0 }
  for (const current of [undefined, deleted]) {
    t.same(getShadow(current, 'bella', { payload, now: T0 }), { ok: false, error })
    t.same(deleteShadow(current, 'bella', { payload, now: T0 }), { ok: false, error })
  }
})

t.test('getShadow, deleteShadow: content other than a client token is ignored', async (t) => {
  const { shadow } = play([{ state: {} }])
  for (const content of ['', 'not json', '{"version":77}', '[1]']) {
    const request = { payload: Buffer.from(content), now: T0 }
    t.ok(getShadow(shadow, 'bella', request).ok, content)
    t.ok(deleteShadow(shadow, 'bella', request).ok, content)
  }
})

function play(steps: readonly Step[]) {
  let shadow: Shadow | undefined
  let error: [number, string] | undefined
  let last: { accepted?: JsonObject; delta?: JsonObject | undefined; documents?: JsonObject } = {}
  for (const [index, step] of steps.entries()) {
    const now = T0 + index * 10_000
    if (step === 'delete') {
      const outcome = deleteShadow(shadow, 'bella', { now })
      if (outcome.ok) shadow = outcome.value.shadow
      continue
    }
    const text = typeof step === 'string' ? step : JSON.stringify(step)
    const outcome = updateShadow(shadow, Buffer.from(text), now)
    if (outcome.ok) {
      shadow = outcome.value.shadow
      last = outcome.value
      error = undefined
    } else {
      error = [outcome.error.code, outcome.error.message]
    }
  }
  return { shadow, error, ...last }
}

/** `state` as GetThingShadow answers it. */
function stateOf(shadow: Shadow | undefined): Json | undefined {
  const outcome = getShadow(shadow, 'bella', { now: T0 })
  return outcome.ok ? outcome.value['state'] : undefined
}

/** A row that does not speak of delta leaves it open. */
function withoutOrWith(expected: JsonObject, shadow: Shadow | undefined): JsonObject {
  const actual = stateOf(shadow) as JsonObject
  return 'delta' in expected || !('delta' in actual) ? expected : { ...expected, delta: actual['delta']! }
}

/** An object with a value `levels` keys deep. */
function nested(levels: number): JsonObject {
  return levels === 1 ? { k: 1 } : { k: nested(levels - 1) }
}
