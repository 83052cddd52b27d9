import { FEED_REFUSALS, FEED_STATES } from '@pesebre/contract/api/feed'
import { REFUSE_REASONS } from '@pesebre/contract/check-in'
import t from 'tap'
import { en } from '../../../web/app/src/words/en.ts'
import { es } from '../../../web/app/src/words/es.ts'
import { explain, sayState, toneOf } from '../../../web/app/src/words/feeds.ts'
import { sayNext, sayPresence } from '../../../web/app/src/words/presence.ts'
import { sayProblem, sayReason } from '../../../web/app/src/words/problems.ts'

t.test('only the word "done" of the feeder reads as fed', async (t) => {
  for (const state of FEED_STATES)
    for (const [language, w, fed] of [
      ['en', en, /\bfed\b/i],
      ['es', es, /servid/i],
    ] as const) {
      const text = sayState(language, w, { state, actual: 500 })
      const isFed = state === 'done' || state === 'partial'
      t.equal(fed.test(text), isFed, `${state}: ${text}`)
      t.ok(explain(w, { state }).length > 10, `${state} is explained`)
    }
  t.equal(toneOf('done'), 'good')
  for (const state of ['unknown', 'jammed', 'interrupted', 'missed'] as const)
    t.equal(toneOf(state), 'bad', state)
})

t.test('every reason of a feeder, and every refusal of the server, has its sentence', async (t) => {
  for (const w of [en, es]) {
    for (const reason of Object.keys(REFUSE_REASONS))
      t.not(sayReason(w, reason), w.reason.other(reason), reason)
    t.match(sayReason(w, 'r42'), 'r42', 'a reason from a newer feeder is told by its code')
    for (const reason of FEED_REFUSALS) {
      const fields = { reason, max: 1920, left: 300, retryAfter: 45 }
      const said = sayProblem(w, { status: 422, kind: 'refused', fields })
      t.not(said, w.problem.invalid, reason)
    }
  }
  t.match(
    sayProblem(en, { status: 422, kind: 'refused', fields: { reason: 'override', max: 1920 } }),
    '1920 g',
  )
  t.match(
    sayProblem(en, { status: 409, kind: 'conflict', fields: { reason: 'gap', retryAfter: 45 } }),
    '45 s',
  )
})

t.test('problems are told by what to do, never by the English of the server', async (t) => {
  for (const status of [400, 401, 403, 404, 409, 410, 413, 422, 429, 500, 503]) {
    const said = sayProblem(es, { status, kind: 'unheard-of', fields: { detail: 'SECRET DETAIL' } })
    t.notMatch(said, 'SECRET', String(status))
    t.ok(said.length > 10)
  }
  t.equal(sayProblem(en, { status: 401, kind: 'wrong-credentials', fields: {} }), en.login.wrong)
  t.match(sayProblem(en, { status: 429, kind: 'too-many-requests', fields: { retryAfter: 120 } }), '2 min')
})

t.test('a feeder is never said to be online: only when it spoke, and what it promised', async (t) => {
  const now = Date.parse('2026-11-20T11:00:00Z')
  const seen = { lastSeen: now - 60_000, nextExpected: now + 240_000, state: 'ok' as const }
  t.match(sayPresence('en', en, seen, now), /^Heard 1 min/)
  t.match(sayNext('en', seen, now), /^\d\d:04$/)
  t.match(sayNext('en', { nextExpected: now + 9_000 }, now), /^\d\d:00:09$/)
  t.equal(sayNext('en', { nextExpected: now - 1 }, now), undefined, 'a promise that is over is not told')
  t.match(sayPresence('en', en, { ...seen, state: 'late' }, now), /^Silent/)
  t.equal(sayPresence('en', en, { lastSeen: null, state: 'new' }, now), en.presence.never)
  for (const w of [en, es])
    t.notMatch(JSON.stringify(w.presence) + JSON.stringify(w.feeder), /online|en línea|conectado/i)
})
