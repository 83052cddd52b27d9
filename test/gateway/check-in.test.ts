import t from 'tap'
import { startGateway } from '../fakes/gateway-process.ts'
import { createUdpPeer } from '../fakes/udp-peer.ts'
import { keptIn } from './attack.ts'
import { createSecureDevice, fleetKeyFile, hear } from './secure-device.ts'

t.setTimeout(120_000)

t.test(
  'a registered device checks in over OSCORE: 2.04 protected, and the report is in the journal',
  async (t) => {
    const gateway = await startGateway({
      env: { PESEBRE_FLEET_KEYS: fleetKeyFile(t), PESEBRE_STOP_TIMEOUT_MS: '100' },
    })
    t.teardown(gateway.stop)
    const peer = await createUdpPeer({ to: gateway.coapPort })
    t.teardown(peer.close)
    const device = createSecureDevice({ number: 0x1a2b3c4d, next: 5 })
    const uplink = { state: { battery_mv: 3300, temp_c: 21.5 }, interval_s: 300, config_version: 0, clock: 0 }
    const sent = device.checkIn(uplink)
    const heard = hear(await peer.ask(sent.bytes), sent)
    t.equal(heard.code, '2.04')
    t.ok(Math.abs(heard.downlink.time! - Date.now() / 1000) < 5, 'a device without a clock is told the time')
    const [report] = keptIn(gateway, device.thing)
    t.match(report, {
      thing: 'feeder-1a2b3c4d',
      type: 'feeder',
      seq: 5,
      state: { battery_mv: 3300, temp_c: 21.5 },
      config_version: 0,
      link: { size: sent.bytes.length, interval_s: 300 },
    })
    const second = device.checkIn()
    const answer = await peer.ask(second.bytes)
    t.equal(hear(answer, second).code, '2.04')
    t.ok(answer.length <= 24, `an empty answer is ${answer.length} bytes`)
  },
)
