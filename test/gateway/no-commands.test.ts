import t from 'tap'
import { startGateway } from '../fakes/gateway-process.ts'
import { createUdpPeer } from '../fakes/udp-peer.ts'
import { until } from '../fakes/until.ts'
import { startCloud } from './cloud.ts'
import { createSecureDevice, fleetKeyFile, type Heard, hear } from './secure-device.ts'

t.setTimeout(120_000)

t.test('PESEBRE_COMMANDS=false: no commands, but settings, and disabled is disabled', async (t) => {
  const cloud = await startCloud(t)
  const env = { ...cloud.env('a'), PESEBRE_FLEET_KEYS: fleetKeyFile(t), PESEBRE_COMMANDS: 'false' }
  const gateway = await startGateway({ env: { ...env, PESEBRE_STOP_TIMEOUT_MS: '100' } })
  t.teardown(gateway.stop)
  const peer = await createUdpPeer({ to: gateway.coapPort })
  t.teardown(peer.close)
  const device = createSecureDevice({ number: 2 })
  const checkIn = async () => {
    const sent = device.checkIn({ clock: Math.floor(Date.now() / 1000), config_version: 0 })
    return hear(await peer.ask(sent.bytes), sent)
  }
  await cloud.queue(device.thing, [{ n: 1 }])
  await cloud.desire(device.thing, { config: { version: 3, interval_s: 600 } })
  let heard: Heard | undefined
  const answered = async (isIt: (heard: Heard) => boolean) => {
    heard = await checkIn()
    return isIt(heard)
  }
  await until(
    'a configuration',
    () => answered(({ downlink }) => downlink?.config !== undefined),
    () => heard,
  )
  const { code, downlink } = await checkIn()
  t.equal(code, '2.04')
  t.match(downlink, { config: { version: 3, interval_s: 600 } })
  t.equal(downlink.commands, undefined, 'the command stays for a gateway of the first region')
  await cloud.desire(device.thing, { enabled: false })
  await until(
    'disabled',
    () => answered(({ code }) => code === '4.03'),
    () => heard,
  )
  t.pass('disabled at once')
})
