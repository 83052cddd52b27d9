import type { LiveEvent, LiveMessage } from '@pesebre/contract/api/live'
import t from 'tap'
import { createHub, type Hub } from '../../../../web/server/src/live/hub.ts'

const horse = (id: string): LiveEvent => ({ kind: 'horse', stable: 's', horse: id })

function reader(hub: Hub) {
  const got: LiveMessage[] = []
  const joined = hub.join({ send: (text) => got.push(JSON.parse(text)) })
  return { ...joined, got, what: () => got.map((each) => (each.kind === 'horse' ? each.horse : each.kind)) }
}

t.test('publish() tells those who watch one of the audiences, once, in order', async (t) => {
  const hub = createHub({ epoch: 'e' })
  const [one, both, none] = [reader(hub), reader(hub), reader(hub)]
  one.watch(new Set(['stable:1']))
  both.watch(new Set(['stable:1', 'thing:a']))
  hub.publish(horse('x'), ['stable:1', 'thing:a'])
  hub.publish(horse('y'), ['thing:a'])
  hub.publish({ kind: 'link', isLive: true, since: 0 }, [])
  t.strictSame(one.what(), ['x', 'link'])
  t.strictSame(both.what(), ['x', 'y', 'link'])
  t.strictSame(none.what(), ['link'])
  t.strictSame(
    both.got.map(({ cursor }) => cursor),
    ['e.1', 'e.2', 'e.3'],
  )
})

t.test('watch() replaces what was watched; leave() ends it', async (t) => {
  const hub = createHub({ epoch: 'e' })
  const one = reader(hub)
  one.watch(new Set(['stable:1']))
  one.watch(new Set(['stable:2']))
  hub.publish(horse('x'), ['stable:1'])
  hub.publish(horse('y'), ['stable:2'])
  t.strictSame(one.what(), ['y'])
  one.leave()
  hub.publish(horse('z'), ['stable:2'])
  hub.publish({ kind: 'link', isLive: true, since: 0 }, [])
  t.strictSame(one.what(), ['y'])
  t.equal(hub.count(), 0)
})

t.test('since: what was missed, of what is watched, and nothing twice', async (t) => {
  const hub = createHub({ epoch: 'e' })
  const before = reader(hub)
  before.watch(new Set(['stable:1']))
  hub.publish(horse('a'), ['stable:1'])
  const { cursor } = before.got.at(-1)!
  before.leave()
  hub.publish(horse('b'), ['stable:1'])
  hub.publish(horse('c'), ['stable:2'])
  hub.publish(horse('d'), ['stable:1', 'thing:x'])
  const after = reader(hub)
  after.watch(new Set(['stable:1', 'thing:x']), cursor)
  hub.publish(horse('e'), ['stable:1'])
  t.strictSame(after.what(), ['b', 'd', 'e'])
  const upToDate = reader(hub)
  upToDate.watch(new Set(['stable:1']), after.got.at(-1)!.cursor)
  t.strictSame(upToDate.what(), [])
})

t.test('since: a cursor that is not ours, or too old, means reset', async (t) => {
  const hub = createHub({ epoch: 'e', ring: { events: 3, characters: 10_000 } })
  for (const id of ['a', 'b', 'c', 'd']) hub.publish(horse(id), ['stable:1'])
  const answer = (since: string) => {
    const one = reader(hub)
    one.watch(new Set(['stable:1']), since)
    return one.what()
  }
  t.strictSame(answer('e.0'), ['reset'], 'a is forgotten')
  t.strictSame(answer('e.1'), ['b', 'c', 'd'])
  t.strictSame(answer('e.4'), [])
  for (const since of ['e.5', 'f.2', 'e', 'e.', '2', 'e.-1', 'e.1e3', 'e.99999999999999999999'])
    t.strictSame(answer(since), ['reset'], since)
})

t.test('what is remembered is bounded by its size, too', async (t) => {
  const hub = createHub({ epoch: 'e', ring: { events: 1_000_000, characters: 1_000 } })
  for (let i = 0; i < 10_000; i++) hub.publish(horse(`${i}`), ['stable:1'])
  const one = reader(hub)
  one.watch(new Set(['stable:1']), 'e.9990')
  t.strictSame(one.what(), ['9990', '9991', '9992', '9993', '9994', '9995', '9996', '9997', '9998', '9999'])
  const late = reader(hub)
  late.watch(new Set(['stable:1']), 'e.9900')
  t.strictSame(late.what(), ['reset'])
})
