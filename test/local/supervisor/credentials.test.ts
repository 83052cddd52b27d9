import { X509Certificate } from 'node:crypto'
import { readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { UpdateCertificateCommand } from '@aws-sdk/client-iot'
import { UpdateThingShadowCommand } from '@aws-sdk/client-iot-data-plane'
import t from 'tap'
import {
  ensureFleetKeys,
  ensureGatewayCertificates,
  gatewayThing,
} from '../../../local/src/supervisor/credentials.ts'
import { type GatewayId, gatewayFiles } from '../../../local/src/supervisor/gateway-files.ts'
import { startDevices } from '../iot/devices.ts'
import { type LocalIot, refusal, startLocalIot } from '../iot/support.ts'

const CONTROL = '$aws/things/+/shadow/name/control/update/documents'
const timeout = 60_000
t.setTimeout(timeout)
const devices = startDevices()

const read = (home: string, id: GatewayId) => {
  const { certificate, key } = gatewayFiles(home, id)
  return { certificatePem: readFileSync(certificate, 'utf8'), privateKey: readFileSync(key, 'utf8') }
}
const connect = (iot: LocalIot, home: string, as: { id: GatewayId; clientId: string }) =>
  devices.connect({
    version: 311,
    clientId: as.clientId,
    port: iot.mqttPort,
    caFile: iot.caFile,
    persistent: true,
    ...read(home, as.id),
  })

t.test('ensureFleetKeys() makes one key of 32 bytes, once, that only its owner can read', async (t) => {
  const home = t.testdir()
  const path = ensureFleetKeys(home)
  t.equal(path, join(home, 'fleet-keys.json'))
  const text = readFileSync(path, 'utf8')
  t.match(JSON.parse(text), { 1: /^[0-9a-f]{64}$/ })
  t.equal(statSync(path).mode & 0o777, 0o600)
  ensureFleetKeys(home)
  t.equal(readFileSync(path, 'utf8'), text)
  t.not(readFileSync(ensureFleetKeys(t.testdir({ other: {} })), 'utf8'), text)
})

t.test(
  'ensureGatewayCertificates() makes one for each gateway, once, and anew when AWS IoT does not take it',
  async (t) => {
    const iot = await startLocalIot(t)
    const home = t.testdir()
    const ensure = () => ensureGatewayCertificates(home, { endpoint: iot.url, ids: ['a', 'b'] })
    await ensure()
    const first = read(home, 'a')
    t.equal(statSync(gatewayFiles(home, 'a').key).mode & 0o777, 0o600)
    t.not(read(home, 'b').certificatePem, first.certificatePem)
    await ensure()
    t.strictSame(read(home, 'a'), first)

    rmSync(gatewayFiles(home, 'b').certificate)
    await ensure()
    t.strictSame(read(home, 'a'), first, 'the other one is kept')

    const other = await startLocalIot(t)
    await ensureGatewayCertificates(home, { endpoint: other.url, ids: ['a'] })
    t.not(read(home, 'a').certificatePem, first.certificatePem, 'the data of AWS IoT were deleted')
  },
)

t.test(
  'a gateway may be itself, and hear what people want of devices, and nothing else',
  { timeout },
  async (t) => {
    const iot = await startLocalIot(t)
    const home = t.testdir()
    await ensureGatewayCertificates(home, { endpoint: iot.url, ids: ['a', 'b'] })
    await t.rejects(connect(iot, home, { id: 'a', clientId: gatewayThing('b') }), 'not as the other gateway')
    await t.rejects(connect(iot, home, { id: 'a', clientId: 'feeder-00000001' }), 'not as a feeder')
    const gateway = await connect(iot, home, { id: 'a', clientId: gatewayThing('a') })
    t.equal(await gateway.subscribe('#'), 128)
    t.equal(await gateway.subscribe('$aws/things/+/shadow/update/documents'), 128)
    t.equal(await gateway.subscribe(CONTROL), 1)
    const heard = gateway.next('message')
    const payload = Buffer.from(JSON.stringify({ state: { desired: { enabled: true } } }))
    await iot.data.send(
      new UpdateThingShadowCommand({ thingName: 'feeder-00000001', shadowName: 'control', payload }),
    )
    t.match(await heard, { topic: '$aws/things/feeder-00000001/shadow/name/control/update/documents' })
  },
)

t.test('a certificate that somebody has revoked is replaced', async (t) => {
  const iot = await startLocalIot(t)
  const home = t.testdir()
  const ensure = () => ensureGatewayCertificates(home, { endpoint: iot.url, ids: ['a'] })
  await ensure()
  const { certificatePem } = read(home, 'a')
  const certificateId = new X509Certificate(certificatePem).fingerprint256.replaceAll(':', '').toLowerCase()
  t.equal(
    await refusal(iot.control.send(new UpdateCertificateCommand({ certificateId, newStatus: 'REVOKED' }))),
    'passed',
  )
  await ensure()
  t.not(read(home, 'a').certificatePem, certificatePem)
})
