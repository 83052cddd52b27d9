import { readFileSync, statSync } from 'node:fs'
import { DescribeThingCommand } from '@aws-sdk/client-iot'
import { GetThingShadowCommand, UpdateThingShadowCommand } from '@aws-sdk/client-iot-data-plane'
import { readControl } from '@pesebre/contract/control'
import { thingOfKid } from '@pesebre/contract/kid'
import t from 'tap'
import {
  demoFiles,
  ensureDemoDevices,
  masterSecret,
  readIdentity,
} from '../../../local/src/demo/registration.ts'
import { ensureFleetKeys } from '../../../local/src/supervisor/credentials.ts'
import { type LocalIot, startLocalIot, toJson } from '../iot/support.ts'

async function controlOf(iot: LocalIot, thingName: string) {
  const shadow = { thingName, shadowName: 'control' }
  const { payload } = await iot.data.send(new GetThingShadowCommand(shadow))
  return readControl(toJson(payload)['state']).desired
}

t.test('ensureDemoDevices() registers two feeders, and a restart finds them', async (t) => {
  const iot = await startLocalIot(t)
  const home = t.testdir()
  ensureFleetKeys(home)
  const devices = await ensureDemoDevices(home, iot.url)
  t.strictSame(
    devices.map(({ name }) => name),
    ["Sol's feeder", "Mora's feeder"],
  )
  for (const { thing, name, file } of devices) {
    const identity = readIdentity(file)
    t.strictSame(thingOfKid(Buffer.from(identity.kid, 'hex')), { thing, type: 'feeder', version: 1 })
    t.match(identity.secret, /^[0-9a-f]{32}$/)
    t.equal(statSync(file).mode & 0o777, 0o600)
    t.match(await iot.control.send(new DescribeThingCommand({ thingName: thing })), {
      thingTypeName: 'feeder',
    })
    t.strictSame(await controlOf(iot, thing), { enabled: true, queue: [], name })
  }
  const [sol, mora] = demoFiles(home).map(readIdentity)
  t.strictSame([sol!.number % 2, mora!.number % 2], [0, 1], 'each begins at another of two gateways')
  t.not(sol!.secret, mora!.secret)
  const files = demoFiles(home).map((file) => readFileSync(file, 'utf8'))
  t.strictSame(await ensureDemoDevices(home, iot.url), devices)
  t.strictSame(
    demoFiles(home).map((file) => readFileSync(file, 'utf8')),
    files,
  )
})

t.test(
  'ensureDemoDevices() does not enable again what somebody has disabled, nor lose its commands',
  async (t) => {
    const iot = await startLocalIot(t)
    const home = t.testdir()
    ensureFleetKeys(home)
    const [device] = await ensureDemoDevices(home, iot.url)
    const thingName = device!.thing
    const queue = [{ n: 1, kind: 'feed', grams: 1, notAfter: 2, by: 'test', at: 1 }]
    const payload = Buffer.from(JSON.stringify({ state: { desired: { enabled: false, queue } } }))
    await iot.data.send(new UpdateThingShadowCommand({ thingName, shadowName: 'control', payload }))
    await ensureDemoDevices(home, iot.url)
    t.match(await controlOf(iot, thingName), { enabled: false, queue })
  },
)

t.test(
  'ensureDemoDevices() registers the same feeders again where the data of AWS IoT are gone',
  async (t) => {
    const home = t.testdir()
    ensureFleetKeys(home)
    const devices = await ensureDemoDevices(home, (await startLocalIot(t)).url)
    const iot = await startLocalIot(t)
    t.strictSame(await ensureDemoDevices(home, iot.url), devices)
    for (const { thing } of devices) t.match(await controlOf(iot, thing), { enabled: true })
  },
)

t.test('masterSecret() is what the contract says', async (t) => {
  const path = new URL('../../../contract/vectors/kid.json', import.meta.url)
  const { devices } = JSON.parse(readFileSync(path, 'utf8')) as { devices: Record<string, string>[] }
  t.ok(devices.length > 0)
  for (const { fleet_key = '', kid = '', master_secret } of devices) {
    const secret = masterSecret(Buffer.from(fleet_key, 'hex'), Buffer.from(kid, 'hex'))
    t.equal(secret.toString('hex'), master_secret)
  }
})
