import t from 'tap'
import { createFilters } from '../../../../web/server/src/iot/filters.ts'

const NOTHING = new Uint8Array()

t.test('deliver() follows the wildcards of MQTT', async (t) => {
  const filters = createFilters(() => {})
  const heard: string[] = []
  for (const filter of ['a/+/c', 'a/#', '+', 'a/b', '$aws/things/+/shadow/update/documents'])
    filters.add(filter, (topic) => heard.push(`${filter} ${topic}`))
  const whom = (topic: string) => {
    heard.length = 0
    filters.deliver(topic, NOTHING)
    return heard.map((each) => each.split(' ')[0])
  }
  t.strictSame(whom('a/b/c'), ['a/+/c', 'a/#'])
  t.strictSame(whom('a'), ['a/#', '+'])
  t.strictSame(whom('a/b'), ['a/#', 'a/b'])
  t.strictSame(whom('ab'), ['+'])
  t.strictSame(whom('$aws/things/feeder-1/shadow/update/documents'), [
    '$aws/things/+/shadow/update/documents',
  ])
  t.strictSame(whom('$aws/things/a/b/shadow/update/documents'), [])
})

t.test('what is wanted changes with the first who wants it and the last who does not', async (t) => {
  const changes: string[][] = []
  const filters = createFilters((wanted) => changes.push(wanted))
  const handler = () => {}
  const first = filters.add('a', handler)
  const second = filters.add('a', handler)
  first.stop()
  first.stop()
  t.strictSame(changes, [['a']])
  second.stop()
  t.strictSame(changes, [['a'], []])
})

t.test('those who wait for a grant go on waiting through an absence', async (t) => {
  const filters = createFilters(() => {})
  const told: string[] = []
  const early = filters.add('a', () => {})
  void early.ready.then(() => told.push('early'))
  filters.lost()
  filters.lost()
  await new Promise((resolve) => setImmediate(resolve))
  t.strictSame(told, [])
  filters.granted('a')
  await early.ready
  await filters.add('a', () => {}).ready
  filters.lost()
  void filters.add('a', () => {}).ready.then(() => told.push('after'))
  await new Promise((resolve) => setImmediate(resolve))
  t.strictSame(told, ['early'])
})

t.test('a handler may stop itself, or add another, while it is told', async (t) => {
  const filters = createFilters(() => {})
  let count = 0
  const once = filters.add('a', () => {
    count++
    once.stop()
    filters.add('a', () => count++)
  })
  filters.deliver('a', NOTHING)
  t.equal(count, 1)
  filters.deliver('a', NOTHING)
  t.equal(count, 2)
})
