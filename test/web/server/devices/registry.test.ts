import { GetPolicyCommand } from '@aws-sdk/client-iot'
import { POLICIES } from '@pesebre/contract/policies'
import t from 'tap'
import { ensureWebCertificate } from '../../../../local/src/supervisor/credentials.ts'
import { openRegistry, type Registry } from '../../../../web/server/src/devices/registry.ts'
import { startDevices } from '../../../local/iot/devices.ts'
import { type LocalIot, refusal, startLocalIot } from '../../../local/iot/support.ts'

const timeout = 60_000
t.setTimeout(timeout)
const devices = startDevices()

/** The web server's client of AWS IoT's control plane, with the policies that an installation has. */
async function setUp(t: {
  teardown(handler: () => Promise<void>): void
}): Promise<{ iot: LocalIot; registry: Registry }> {
  const iot = await startLocalIot(t)
  await ensureWebCertificate(iot.dir, iot.url)
  // As the SDK reads it; clients of AWS are made with nothing else.
  const env = {
    AWS_ENDPOINT_URL_IOT: iot.url,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
  }
  Object.assign(process.env, env)
  const registry = openRegistry()
  t.teardown(async () => registry.close())
  return { iot, registry }
}

t.test('ensureThing() makes thing and type, and kindOf() says what is there', async (t) => {
  const { registry } = await setUp(t)
  t.equal(await registry.kindOf('camera-00000001'), undefined)
  await registry.ensureThing('camera-00000001', 'camera')
  await registry.ensureThing('camera-00000001', 'camera')
  t.equal(await registry.kindOf('camera-00000001'), 'camera')
  t.equal(await registry.kindOf('pesebre-web'), null)
})

t.test('listThings() goes through the pages, up to a limit', async (t) => {
  const { registry } = await setUp(t)
  for (let i = 0; i < 260; i++) await registry.ensureThing(`feeder-${`${i}`.padStart(8, '0')}`, 'feeder')
  t.equal((await registry.listThings(5_000)).length, 261)
  t.equal((await registry.listThings(255)).length, 255)
  t.match((await registry.listThings(1))[0], { thing: 'feeder-00000000', kind: 'feeder' })
})

t.test(
  'a camera with its certificate may speak for itself only, until it is stopped',
  { timeout },
  async (t) => {
    const { iot, registry } = await setUp(t)
    const [thing, other] = ['camera-00000001', 'camera-00000002']
    await registry.ensureThing(thing, 'camera')
    const { id, certificate, key } = await registry.createCertificate(thing, POLICIES.camera)
    t.strictSame(await registry.certificatesOf(thing), [id])
    const connect = (clientId: string) =>
      devices.connect({
        version: 5,
        clientId,
        port: iot.mqttPort,
        caFile: iot.caFile,
        certificatePem: certificate,
        privateKey: key,
      })
    const camera = await connect(thing)
    t.equal(await camera.publish(`cameras/${thing}/events`, '{}'), 0)
    t.equal(await camera.subscribe(`cameras/${thing}/commands`), 1)
    t.ok((await camera.subscribe(`cameras/${other}/commands`)) >= 128)
    t.ok((await camera.subscribe('cameras/+/events')) >= 128)
    t.not(await camera.publish(`cameras/${other}/events`, '{}').catch(() => 'cut off'), 0)
    await t.rejects(connect(other), 'not as another camera')

    const lost = (await connect(thing)).next('lost')
    await registry.setCertificate(id, 'INACTIVE')
    await lost
    await t.rejects(connect(thing), 'stopped')
    await registry.setCertificate(id, 'ACTIVE')
    await connect(thing)
    await registry.setCertificate(id, 'REVOKED')
    await t.rejects(connect(thing), 'revoked')
  },
)

t.test('a certificate that cannot be finished opens nothing', async (t) => {
  const { iot, registry } = await setUp(t)
  t.match(await refusal(iot.control.send(new GetPolicyCommand({ policyName: 'missing' }))), [
    'ResourceNotFoundException',
  ])
  await registry.ensureThing('camera-00000001', 'camera')
  let message = ''
  await registry.createCertificate('camera-00000001', 'missing').catch((error: Error) => {
    message = error.name
  })
  t.equal(message, 'ResourceNotFoundException')
  t.strictSame(await registry.certificatesOf('camera-00000001'), [])
})
