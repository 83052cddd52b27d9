import { CameraCommandSchema, cameraOfTopic, commandsTopic, eventsTopic } from '@pesebre/contract/camera'
import fc from 'fast-check'
import t from 'tap'
import { Value } from 'typebox/value'
import { readEvent, readQuality, readText } from '../../../../web/server/src/camera/messages.ts'

const bytes = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))

t.test('readEvent: every event of the contract, and nothing else', async (t) => {
  const good = [
    { event: 'hello' },
    { event: 'hello', firmware: '1.2.3' },
    { event: 'streaming', streamId: 'abcdef01' },
    { event: 'stopped', streamId: 'abcdef01', reason: 'lease' },
    { event: 'error', message: 'no sensor' },
    { event: 'error', streamId: 'abcdef01', message: '' },
  ]
  for (const event of good) t.same(readEvent(bytes(event)), event)
  const bad = [
    ...['', '{', 'null', '[]', '7', '"hello"'],
    ...[{}, { event: 'welcome' }, { event: 'hello', extra: 1 }, { event: 'hello', firmware: 1 }],
    ...[
      { event: 'stopped', streamId: 'abcdef01' },
      { event: 'stopped', streamId: 'abcdef01', reason: 'bored' },
    ],
    ...[
      { event: 'streaming', streamId: '../../etc' },
      { event: 'streaming', streamId: 'short' },
    ],
    ...[{ event: 'error', message: 'x'.repeat(201) }, { event: 'error' }],
    `{"event":"hello","firmware":"${' '.repeat(2000)}"}`,
  ]
  for (const event of bad) t.equal(readEvent(bytes(event)), undefined, JSON.stringify(event).slice(0, 80))
})

t.test('readText: acknowledgement, ping and quality, one at a time', async (t) => {
  t.same(readText('{"ack":4294967295}'), { ack: 4294967295 })
  t.same(readText('{"ping":1234.5}'), { ping: 1234.5 })
  t.same(readText('{"quality":"low"}'), { quality: 'low' })
  for (const text of [
    '',
    '{}',
    '{"ack":1.5}',
    '{"ack":null}',
    '{"ping":1e999}',
    '{"ack":1,"ping":1}',
    '{"__proto__":1}',
  ])
    t.equal(readText(text), undefined, text)
  t.equal(readQuality('best'), undefined)
})

t.test('readEvent, readText: nothing that arrives makes them throw', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
      readEvent(noise)
      readText(Buffer.from(noise).toString())
    }),
  )
  fc.assert(
    fc.property(fc.json(), (text) => {
      readEvent(bytes(text))
      readText(text)
    }),
  )
  t.pass('held')
})

t.test('cameraOfTopic: only the events of a thing', async (t) => {
  t.equal(cameraOfTopic(eventsTopic('camera-0000001f')), 'camera-0000001f')
  for (const topic of [
    commandsTopic('camera-0000001f'),
    'cameras//events',
    'cameras/a/b/events',
    'x/a/events',
    '',
  ])
    t.equal(cameraOfTopic(topic), undefined, topic)
})

t.test('commands: limits of the contract are limits', async (t) => {
  const start = {
    command: 'start',
    streamId: 'abcdef0123456789',
    url: 'wss://stable.example/relay/v1/camera',
    token: 'x'.repeat(32),
    expires: 1_800_000_000,
    lease: 600,
    targetFps: 5,
    maxFps: 8,
    maxLevel: 5,
  }
  t.ok(Value.Check(CameraCommandSchema, start))
  const wrong = [
    { lease: 601 },
    { lease: 0 },
    { maxLevel: 6 },
    { maxFps: 31 },
    { url: 'http://x/' },
    { token: 'short' },
  ]
  for (const one of wrong)
    t.notOk(Value.Check(CameraCommandSchema, { ...start, ...one }), JSON.stringify(one))
})
