import t from 'tap'
import { createTopicIndex } from '../../../local/src/iot/topic-index.ts'
import { parseShadowTopic, publishProblem, subscribeProblem } from '../../../local/src/iot/topics.ts'

const MATCHES: [filter: string, topic: string, matches: boolean][] = [
  ['a/b', 'a/b', true],
  ['a/b', 'a/c', false],
  ['a/+', 'a/b', true],
  ['a/+', 'a/b/c', false],
  ['a/+', 'a/', true],
  ['+/b', '/b', true],
  ['a/+/c', 'a/b/c', true],
  ['a/#', 'a/b/c', true],
  ['a/#', 'a/', true],
  // AWS differs from the MQTT specification here.
  ['a/#', 'a', false],
  ['#', 'a/b', true],
  ['#', '$aws/things', false],
  ['+/things', '$aws/things', false],
  ['$aws/#', '$aws/things', true],
  ['$aws/things/+/shadow/update/delta', '$aws/things/bella/shadow/update/delta', true],
  ['A/b', 'a/b', false],
]

for (const [filter, topic, matches] of MATCHES) {
  t.test(`createTopicIndex: ${filter} ${matches ? 'matches' : 'does not match'} ${topic}`, async (t) => {
    const index = createTopicIndex<number>()
    index.add(filter, 1)
    t.same(index.match(topic), matches ? [1] : [])
    t.equal(index.has(topic), matches)
    index.remove(filter, 1)
    t.same(index.match(topic), [])
    t.equal(index.has(topic), false)
  })
}

t.test('createTopicIndex: every filter that matches brings its values', async (t) => {
  const index = createTopicIndex<string>()
  index.add('a/b', 'exact')
  index.add('a/+', 'one')
  index.add('a/+', 'two')
  index.add('b/#', 'other')
  t.same(index.match('a/b').sort(), ['exact', 'one', 'two'])
  index.remove('a/+', 'one')
  t.same(index.match('a/b').sort(), ['exact', 'two'])
})

t.test('parseShadowTopic: the requests of classic and named shadows, and nothing else', async (t) => {
  t.same(parseShadowTopic('$aws/things/bella/shadow/get'), {
    id: { thing: 'bella', name: undefined },
    operation: 'get',
  })
  t.same(parseShadowTopic('$aws/things/bella/shadow/name/control/update'), {
    id: { thing: 'bella', name: 'control' },
    operation: 'update',
  })
  for (const topic of [
    '$aws/things/bella/shadow/update/accepted',
    '$aws/things/bella/shadow/name/control/list',
    '$aws/things/bel la/shadow/get',
    '$aws/things/bella/shadow/name/a.b/get',
    'things/bella/shadow/get',
  ]) {
    t.equal(parseShadowTopic(topic), undefined, topic)
  }
})

t.test('publishProblem: limits and reserved topics', async (t) => {
  t.equal(publishProblem('1/2/3/4/5/6/7/8', false), undefined, 'seven slashes')
  t.ok(publishProblem('1/2/3/4/5/6/7/8/9', false), 'eight slashes')
  t.equal(publishProblem('x'.repeat(256), true), undefined)
  t.ok(publishProblem('x'.repeat(257), false))
  t.ok(publishProblem('é'.repeat(129), false), 'bytes, not characters')
  t.ok(publishProblem('', false))
  t.ok(publishProblem('a/+', false))
  t.ok(publishProblem('$SYS/x', false))
  t.ok(publishProblem('$aws/events/presence/connected/x', false))
  t.ok(publishProblem('$aws/things/bella/shadow/update/accepted', false))
  t.equal(publishProblem('$aws/things/bella/shadow/update', false), undefined)
  t.ok(publishProblem('$aws/things/bella/shadow/update', true), 'retained')
})

t.test('subscribeProblem: limits and reserved topics', async (t) => {
  t.equal(subscribeProblem('#'), undefined)
  t.equal(subscribeProblem('$aws/things/+/shadow/#'), undefined)
  t.equal(subscribeProblem('$aws/events/presence/#'), undefined)
  t.ok(subscribeProblem('$SYS/#'))
  t.ok(subscribeProblem('$aws/#'))
  t.ok(subscribeProblem('1/2/3/4/5/6/7/8/#'))
  t.ok(subscribeProblem('x'.repeat(257)))
})
