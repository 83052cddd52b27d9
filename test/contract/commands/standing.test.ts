import { isEnd, standings, WORD_GRACE_S } from '@pesebre/contract/commands/standing'
import { type Control, readControl } from '@pesebre/contract/control'
import t from 'tap'

const NOW = 1_795_000_000_000
const S = NOW / 1000
const command = { n: 5, kind: 'feed' as const, grams: 500, notAfter: S + 600, by: 'ana', at: S }
const OVER = NOW + (600 + WORD_GRACE_S) * 1000 + 1

function stateAt(now: number, reported: Control['reported']): unknown {
  const [standing] = standings({ desired: { enabled: true, queue: [command] }, reported }, now)
  return standing!.state
}

t.test('standings: each state, and what becomes of it when no word comes', async (t) => {
  const word = (state: 'accepted' | 'dispensing' | 'done') => ({
    sent: 5,
    outcomes: { last: 5, items: [{ n: 5, state, at: NOW }] },
  })
  t.equal(stateAt(NOW, {}), 'queued')
  t.equal(stateAt(NOW + 601_000, {}), 'queued', 'word that it was handed out may lag behind')
  t.equal(stateAt(OVER, {}), 'expired')
  t.equal(stateAt(NOW, { sent: 4 }), 'queued')
  t.equal(stateAt(NOW, { sent: 5 }), 'sent')
  t.equal(stateAt(OVER, { sent: 5 }), 'unknown')
  t.equal(stateAt(NOW, word('accepted')), 'accepted')
  t.equal(stateAt(OVER, word('accepted')), 'unknown')
  t.equal(stateAt(OVER, word('dispensing')), 'unknown')
  t.equal(stateAt(OVER, word('done')), 'done')
})

t.test('standings: the word of the device outlives the queue', async (t) => {
  const control = readControl({
    desired: { enabled: true },
    reported: {
      outcomes: {
        last: 7,
        items: [
          { n: 7, state: 'refused', reason: 'gap', at: NOW },
          { n: 6, state: 'done', grams: 480, at: NOW, late: true },
        ],
      },
    },
  })
  t.same(standings(control, NOW), [
    { n: 6, state: 'done', at: NOW, dispensed: 480, late: true },
    { n: 7, state: 'refused', at: NOW, reason: 'gap' },
  ])
})

t.test('isEnd: what a person waits for', async (t) => {
  for (const state of ['queued', 'sent', 'accepted', 'dispensing'] as const) t.notOk(isEnd(state), state)
  for (const state of [
    'done',
    'partial',
    'jammed',
    'refused',
    'interrupted',
    'expired',
    'cancelled',
    'unknown',
  ] as const)
    t.ok(isEnd(state), state)
})
