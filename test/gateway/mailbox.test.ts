import { METHOD } from '@pesebre/coap/codec/codes'
import { TYPE } from '@pesebre/coap/codec/message'
import { OPTION } from '@pesebre/coap/codec/options'
import t from 'tap'
import { startGateway } from '../fakes/gateway-process.ts'
import { createUdpPeer } from '../fakes/udp-peer.ts'
import { until } from '../fakes/until.ts'
import { keptIn } from './attack.ts'
import { mailboxesLive, startCloud } from './cloud.ts'
import { createSecureDevice, fleetKeyFile, type Heard, hear } from './secure-device.ts'

t.setTimeout(120_000)

t.test(
  'a command given while the device sleeps is in its next answer; outcomes are confirmed; disabled is at once',
  async (t) => {
    const cloud = await startCloud(t)
    const env = {
      ...cloud.env('a'),
      PESEBRE_FLEET_KEYS: fleetKeyFile(t),
      PESEBRE_STOP_TIMEOUT_MS: '100',
      PESEBRE_GATEWAY_LIST: '3:a=198.51.100.7:5683',
    }
    const gateway = await startGateway({ env })
    t.teardown(gateway.stop)
    await mailboxesLive(gateway)
    const peer = await createUdpPeer({ to: gateway.coapPort })
    t.teardown(peer.close)
    const device = createSecureDevice({ number: 1 })
    const checkIn = async (uplink = {}) => {
      const sent = device.checkIn({ clock: Math.floor(Date.now() / 1000), ...uplink })
      return hear(await peer.ask(sent.bytes), sent)
    }
    const answered = async (what: string, isIt: (heard: Heard) => boolean, uplink = {}) => {
      let heard: Heard | undefined
      const look = async () => {
        heard = await checkIn(uplink)
        return isIt(heard)
      }
      await until(what, look, () => heard)
    }

    t.equal((await checkIn()).code, '4.03', 'never registered')
    await cloud.desire(device.thing, { enabled: true, queue: [] })
    await answered('registered', ({ code }) => code === '2.04')
    t.strictSame((await checkIn()).downlink, {}, 'nothing waits')

    await cloud.queue(device.thing, [{ n: 1 }, { n: 2, ttl: 300 }, { n: 3 }])
    await answered('commands', ({ downlink }) => downlink.commands !== undefined)
    const { downlink } = await checkIn()
    t.match(downlink, { commands: [{ n: 1, kind: 'feed', grams: 500 }, { n: 2 }], more: true })
    t.equal(downlink.commands!.length, 2)
    t.ok(downlink.commands![0]!.ttl_s > 580 && downlink.commands![0]!.ttl_s <= 600)
    t.ok(downlink.commands![1]!.ttl_s > 280 && downlink.commands![1]!.ttl_s <= 300)
    t.equal(keptIn(gateway, device.thing).at(-1)!.sent, 2)

    const confirmed = await checkIn({ outcomes: [{ n: 1, state: 'done', grams: 500, age_s: 3 }] })
    t.match(confirmed.downlink, { acked_upto: 1, commands: [{ n: 2 }, { n: 3 }] })
    t.notOk(confirmed.downlink.more)
    const last = keptIn(gateway, device.thing).at(-1)!
    t.match(last.outcomes, [{ n: 1, state: 'done', grams: 500, at: last.received - 3000 }])

    const meals = await checkIn({
      outcomes: [
        { occurrence: 29_909_940, state: 'done', grams: 700, age_s: 60 },
        { occurrence: 29_909_400, state: 'refused', reason: 'gap' },
      ],
    })
    t.match(meals.downlink, { acked_meal: 29_909_940, commands: [{ n: 2 }, { n: 3 }] })
    t.equal(meals.downlink.acked_upto, undefined, 'a meal names no command')
    const ate = keptIn(gateway, device.thing).at(-1)!
    t.match(ate.outcomes, [
      { occurrence: 29_909_940, state: 'done', grams: 700, at: ate.received - 60_000 },
      {},
    ])

    await cloud.desire(device.thing, {
      config: { version: 2, interval_s: 60, zone: 'Asia/Kolkata', limits: { portion: 900 } },
    })
    await answered('a configuration', ({ downlink }) => downlink.config !== undefined, { config_version: 1 })
    const behind = await checkIn({ config_version: 1 })
    t.match(behind.downlink, {
      config: { version: 2, interval_s: 60, limits: { portion: 900 }, rule: [330] },
      gateways: { version: 3, list: ['a=198.51.100.7:5683'] },
    })
    t.equal((await checkIn({ config_version: 2 })).downlink.config, undefined)

    await cloud.desire(device.thing, { enabled: false })
    await answered('disabled', ({ code }) => code === '4.03')
    const kept = keptIn(gateway, device.thing).length
    t.equal((await checkIn()).code, '4.03', 'disabled')
    t.equal(keptIn(gateway, device.thing).length, kept)
  },
)

t.test(
  'a device that stays awake observes its mailbox, and ends hearing of it when it is disabled',
  async (t) => {
    const cloud = await startCloud(t)
    const env = { ...cloud.env('a'), PESEBRE_FLEET_KEYS: fleetKeyFile(t), PESEBRE_STOP_TIMEOUT_MS: '100' }
    const gateway = await startGateway({ env })
    t.teardown(gateway.stop)
    await mailboxesLive(gateway)
    const peer = await createUdpPeer({ to: gateway.coapPort })
    t.teardown(peer.close)
    const device = createSecureDevice({ number: 2, kind: 'waterer' })
    await cloud.queue(device.thing, [{ n: 1, grams: 100 }])
    const observe = { number: OPTION.OBSERVE, value: new Uint8Array(0) }
    const sent = device.request({ method: METHOD.GET, path: ['commands'], options: [observe] })
    const first = hear(await peer.ask(sent.bytes), sent)
    t.equal(first.code, '2.05')
    t.match(first.downlink.commands, [{ n: 1, grams: 100 }])
    t.match(keptIn(gateway, device.thing), [{ type: 'waterer', seq: 0, sent: 1, state: undefined }])

    await cloud.queue(device.thing, [
      { n: 1, grams: 100 },
      { n: 2, grams: 200 },
    ])
    const told = await peer.next()
    const second = hear(told, sent)
    t.equal(second.code, '2.05')
    t.match(second.downlink.commands, [{ n: 1 }, { n: 2, grams: 200 }])
    await peer.send(Uint8Array.of(0x60, 0, told[2]!, told[3]!))

    await cloud.desire(device.thing, { enabled: false })
    const last = hear(await peer.next(), sent)
    t.equal(last.code, '4.03')
  },
)

t.test('while AWS IoT is away reports are taken, without commands; afterwards they come', async (t) => {
  const cloud = await startCloud(t)
  const env = { ...cloud.env('a'), PESEBRE_FLEET_KEYS: fleetKeyFile(t), PESEBRE_STOP_TIMEOUT_MS: '100' }
  const nowhere = { AWS_ENDPOINT_URL_IOT_DATA_PLANE: 'http://127.0.0.1:1', PESEBRE_MQTT_PORT: '1' }
  const gateway = await startGateway({ env: { ...env, ...nowhere } })
  t.teardown(gateway.stop)
  const peer = await createUdpPeer({ to: gateway.coapPort })
  t.teardown(peer.close)
  const device = createSecureDevice({ number: 3 })
  for (let i = 0; i < 5; i++) {
    const sent = device.checkIn({ outcomes: [{ n: 7, state: 'done' }] })
    const { code, downlink } = hear(await peer.ask(sent.bytes), sent)
    t.equal(code, '2.04')
    t.strictSame(downlink, { acked_upto: 7 })
  }
  t.equal(keptIn(gateway, device.thing).length, 5)
  t.ok((await gateway.admin('/readyz')).body.includes('"mailboxes":false'))

  // Over HTTP alone: whatever stands there is read for each report.
  const half = await startGateway({ env: { ...env, PESEBRE_MQTT_PORT: '1', PESEBRE_GATEWAY_ID: 'b' } })
  t.teardown(half.stop)
  const other = await createUdpPeer({ to: half.coapPort })
  t.teardown(other.close)
  for (const n of [1, 2, 3]) {
    await cloud.queue(device.thing, [{ n }])
    const sent = device.checkIn({}, { gateway: 'b' })
    t.match(hear(await other.ask(sent.bytes), sent).downlink.commands, [{ n }])
  }
})

t.test('no_reply: the report is kept, nothing is handed out, nothing is said', async (t) => {
  const gateway = await startGateway({
    env: { PESEBRE_FLEET_KEYS: fleetKeyFile(t), PESEBRE_STOP_TIMEOUT_MS: '100' },
  })
  t.teardown(gateway.stop)
  const peer = await createUdpPeer({ to: gateway.coapPort })
  t.teardown(peer.close)
  const device = createSecureDevice({ number: 4 })
  const silent = device.checkIn({ state: { battery_mv: 1 }, no_reply: true }, { type: TYPE.NON })
  t.strictSame(await peer.provoke(silent.bytes), [])
  const acknowledged = device.checkIn({ no_reply: true }, { type: TYPE.CON })
  const answer = await peer.ask(acknowledged.bytes)
  t.strictSame([...answer], [0x60, 0, acknowledged.bytes[2], acknowledged.bytes[3]], 'an empty ACK')
  const kept = () => keptIn(gateway, device.thing)
  await until('two reports', () => kept().length === 2, kept)
  t.match(keptIn(gateway, device.thing), [{ link: { answer: false } }, { link: { answer: false } }])
})
