import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import t from 'tap'
import { createIdentity } from './devices.ts'
import { type LocalIot, startLocalIot } from './support.ts'

t.setTimeout(120_000)

const UPDATE = 'POST /things/bella/shadow HTTP/1.1\r\nhost: x\r\n'
type Tap = {
  equal(a: unknown, b: unknown, what: string): void
  same(a: unknown, b: unknown, what: string): void
}

/** CONNECT of MQTT 3.1.1, client id `a`. */
const CONNECT = Buffer.from([0x10, 13, 0, 4, 77, 81, 84, 84, 4, 2, 0, 60, 0, 1, 97])

const REST: [what: string, bytes: string][] = [
  ['a body that never comes', `${UPDATE}content-length: 100\r\n\r\n{"state"`],
  ['a body without a length', `${UPDATE}\r\n`],
  ['no HTTP', '\x00\x01\x02\x03\r\n\r\n'],
  ['a path that is none', 'GET ////%zz?x=% HTTP/1.1\r\nhost: x\r\n\r\n'],
  ['two lengths', `${UPDATE}content-length: 1\r\ncontent-length: 2\r\n\r\n{}`],
]

t.test('serveRest: rude clients harm nobody', async (t) => {
  const iot = await startLocalIot(t)
  for (const [what, bytes] of REST) {
    await sendAndHangUp(connectTcp(iot.restPort, '127.0.0.1'), bytes)
    await isWell(t, iot, what)
  }
})

const MQTT: [what: string, bytes: Buffer][] = [
  ['nothing', Buffer.alloc(0)],
  ['no MQTT', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ['a message before CONNECT', Buffer.from([0x30, 5, 0, 1, 97, 98, 99])],
  ['half a CONNECT', CONNECT.subarray(0, 8)],
  ['two CONNECTs', Buffer.concat([CONNECT, CONNECT])],
  ['a length without an end', Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff, 0xff])],
  ['a hundred levels', Buffer.concat([CONNECT, publish('a/'.repeat(120))])],
  ['a topic with wildcards', Buffer.concat([CONNECT, publish('a/#')])],
  ['an empty topic', Buffer.concat([CONNECT, publish('')])],
  [
    'a subscription that is none',
    Buffer.concat([CONNECT, Buffer.from([0x82, 8, 0, 1, 0, 3, 35, 47, 97, 1])]),
  ],
]

t.test('startBroker: rude clients harm nobody', async (t) => {
  const iot = await startLocalIot(t)
  const identity = await createIdentity(iot, [{ Action: 'iot:*', Resource: '*' }])
  for (const [what, bytes] of MQTT) {
    const socket = connectTls({
      host: '127.0.0.1',
      port: iot.mqttPort,
      ca: readFileSync(iot.caFile),
      cert: identity.certificatePem,
      key: identity.privateKey,
    })
    await once(socket, 'secureConnect')
    await sendAndHangUp(socket, bytes)
    await isWell(t, iot, what)
  }
})

t.test('startBroker: without a client certificate there is no connection', async (t) => {
  const iot = await startLocalIot(t)
  const socket = connectTls({ host: '127.0.0.1', port: iot.mqttPort, ca: readFileSync(iot.caFile) })
  socket.on('secureConnect', () => socket.write(CONNECT))
  const heard: Buffer[] = []
  socket.on('data', (data) => heard.push(data))
  await once(socket, 'error')
  t.same(heard, [])
  await isWell(t, iot, 'no certificate')
})

async function sendAndHangUp(socket: Socket, bytes: string | Buffer): Promise<void> {
  socket.on('error', () => {})
  if (socket.connecting) await once(socket, 'connect')
  await new Promise((resolve) => socket.write(bytes, resolve))
  // Long enough to be read, not long enough to be given up on.
  await new Promise((resolve) => setTimeout(resolve, 30))
  socket.destroy()
  await new Promise((resolve) => setTimeout(resolve, 30))
}

async function isWell(t: Tap, { url, errors }: LocalIot, after: string): Promise<void> {
  t.equal((await fetch(`${url}/healthz`)).status, 200, after)
  t.same(errors, [], after)
}

function publish(topic: string): Buffer {
  const name = Buffer.from(topic)
  const body = Buffer.concat([Buffer.from([0, name.length]), name, Buffer.from('x')])
  const length = body.length < 128 ? [body.length] : [(body.length & 0x7f) | 0x80, body.length >> 7]
  return Buffer.concat([Buffer.from([0x30, ...length]), body])
}
