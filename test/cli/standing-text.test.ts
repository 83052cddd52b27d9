import type { Standing } from '@pesebre/contract/commands/standing'
import t from 'tap'
import { refusalText, standingText } from '../../cli/src/standing-text.ts'

const NOW = 1_795_000_000_000
const given = { kind: 'feed', grams: 500, notAfter: NOW / 1000 + 60, by: 'ana', at: NOW / 1000 } as const
const text = (standing: Partial<Standing>, now = NOW) =>
  standingText({ n: 1, state: 'queued', given, ...standing }, now, (_, text) => text)

t.test('standingText: says what is known, and no more', async (t) => {
  t.equal(text({}), 'queued      waits for its next check-in')
  t.equal(
    text({}, NOW + 60_000),
    'queued      its time is past: only word that it was handed out before may still come',
  )
  t.equal(text({ state: 'done', dispensed: 500 }), 'done        500 g')
  t.equal(text({ state: 'done', dispensed: 500, late: true }), 'done        500 g; after its time')
  t.equal(text({ state: 'partial', dispensed: 120 }), 'partial     120 g; less than asked for')
  t.equal(text({ state: 'refused', reason: 'gap' }), 'refused     too soon after the last portion')
  t.equal(text({ state: 'refused', reason: 'r99' }), 'refused     r99')
  t.match(text({ state: 'sent', isCancelled: true }), 'taken back too late')
  t.match(text({ state: 'unknown' }), 'look, before you give another; it is not repeated by itself')
})

t.test('refusalText: says what to do', async (t) => {
  t.equal(
    refusalText({ reason: 'gap', wait_s: 42 }, 'x'),
    'Too soon after the last portion: try again in 42 s',
  )
  t.equal(
    refusalText({ reason: 'sent', n: 7 }, 'x'),
    'Command 7 has been handed out already: wait for its end with npx pesebre commands x',
  )
})
