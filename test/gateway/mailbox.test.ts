import t from 'tap'
import { startGateway } from '../fakes/gateway-process.ts'
import { createUdpPeer } from '../fakes/udp-peer.ts'
import { keptIn } from './attack.ts'
import { startCloud } from './cloud.ts'
import { createSecureDevice, fleetKeyFile, hear } from './secure-device.ts'

t.setTimeout(120_000)

t.test(
  'a command given while the device sleeps is in its next answer; outcomes are confirmed; disabled is at once',
  async (t) => {
    const cloud = await startCloud(t)
    const env = {
      ...cloud.env('a'),
      PESEBRE_FLEET_KEYS: fleetKeyFile(t),
      PESEBRE_STOP_TIMEOUT_MS: '100',
      PESEBRE_GATEWAY_LIST: '3=198.51.100.7:5683',
    }
    const gateway = await startGateway({ env })
    t.teardown(gateway.stop)
    await until(async () => (await gateway.admin('/readyz')).body.includes('"mailboxes":true'))
    const peer = await createUdpPeer({ to: gateway.coapPort })
    t.teardown(peer.close)
    const device = createSecureDevice({ number: 1 })
    const checkIn = async (uplink = {}) => {
      const sent = device.checkIn({ clock: Math.floor(Date.now() / 1000), ...uplink })
      return hear(await peer.ask(sent.bytes), sent)
    }

    t.equal((await checkIn()).code, '4.03', 'never registered')
    await cloud.desire(device.thing, { enabled: true, queue: [] })
    await until(async () => (await checkIn()).code === '2.04')
    t.strictSame((await checkIn()).downlink, {}, 'nothing waits')

    await cloud.queue(device.thing, [{ n: 1 }, { n: 2, ttl: 300 }, { n: 3 }])
    await until(async () => (await checkIn()).downlink.commands !== undefined)
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

    await cloud.desire(device.thing, { config: { version: 2, interval_s: 60, limits: { portion: 900 } } })
    await until(async () => (await checkIn({ config_version: 1 })).downlink.config !== undefined)
    const behind = await checkIn({ config_version: 1 })
    t.match(behind.downlink, {
      config: { version: 2, interval_s: 60, limits: { portion: 900 } },
      gateways: { version: 3, list: ['198.51.100.7:5683'] },
    })
    t.equal((await checkIn({ config_version: 2 })).downlink.config, undefined)

    await cloud.desire(device.thing, { enabled: false })
    await until(async () => (await checkIn()).code === '4.03')
    const kept = keptIn(gateway, device.thing).length
    t.equal((await checkIn()).code, '4.03', 'disabled')
    t.equal(keptIn(gateway, device.thing).length, kept)
  },
)

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 50))
}
