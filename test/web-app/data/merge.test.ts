import { DEVICE_STANDINGS as CONTRACT_STANDINGS } from '@pesebre/contract/api/device'
import type { Feed } from '@pesebre/contract/api/feed'
import t from 'tap'
import { withAlarm, withDevice, withFeed } from '../../../web/app/src/data/merge.ts'
import { DEVICE_STANDINGS } from '../../../web/app/src/data/standings.ts'
import { alarms, feeds, fleet } from '../mock/fixtures.ts'

const now = Date.parse('2026-11-20T11:00:00Z')

t.test('withFeed() adds what is new on top, changes what is known, and never goes back', async (t) => {
  const page = { feeds: feeds(now) }
  const first = page.feeds[0] as Feed
  const younger: Feed = { ...first, id: 'fed_9', at: now }
  t.equal(withFeed(page, younger).feeds[0]?.id, 'fed_9')
  t.equal(withFeed(page, younger).feeds.length, page.feeds.length + 1)
  const behind: Feed = { ...first, state: 'queued', states: first.states.slice(0, 1) }
  t.equal(
    withFeed(page, behind).feeds[0]?.state,
    'done',
    'an event that repeats an earlier state changes nothing',
  )
  t.equal(withFeed({ feeds: [behind] }, first).feeds[0]?.state, 'done')
  t.equal(withFeed(withFeed(page, younger), younger).feeds.length, page.feeds.length + 1, 'twice is once')
})

t.test(
  'withAlarm() keeps one row for each, the newest first, and drops what is over and seen to',
  async (t) => {
    const list = { alarms: alarms(now) }
    const [first] = list.alarms
    if (first === undefined) return t.fail('no alarm')
    const seen = { ...first, acknowledged: { at: now, by: 'Ana' } }
    t.equal(withAlarm(list, seen).alarms.length, list.alarms.length)
    t.equal(withAlarm(list, { ...seen, cleared: now }).alarms.length, list.alarms.length - 1)
    t.equal(withAlarm(list, { ...first, id: 'other', since: now + 1 }).alarms[0]?.id, 'other')
  },
)

t.test('withDevice() keeps the order of the server', async (t) => {
  t.same(DEVICE_STANDINGS, CONTRACT_STANDINGS, 'the copy for browsers is the list of the contract')
  const before = fleet(now)
  const good = before.devices.find(({ standing }) => standing === 'good')
  if (good === undefined) return t.fail('no good device')
  const after = withDevice(before, { ...good, standing: 'alarm', name: 'AAA' })
  t.equal(after.devices[0]?.thing, good.thing)
  t.equal(after.total, before.total)
  t.equal(withDevice(before, { ...good, thing: 'feeder-ffffffff' }).total, before.total + 1)
})
