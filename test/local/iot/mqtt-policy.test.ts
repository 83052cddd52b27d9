import { DetachPolicyCommand, UpdateCertificateCommand, UpdateThingCommand } from '@aws-sdk/client-iot'
import { PublishCommand } from '@aws-sdk/client-iot-data-plane'
import t from 'tap'
import { access, createIdentity, startDevices } from './devices.ts'
import { startLocalIot } from './support.ts'

t.setTimeout(120_000)

const EVERYTHING = [{ Action: 'iot:*', Resource: '*' }]
const VERSIONS = [5, 311] as const
const devices = startDevices()

t.test('MQTT: a certificate of another authority is refused', async (t) => {
  const iot = await startLocalIot(t)
  const other = await startLocalIot(t)
  const stranger = await createIdentity(other, EVERYTHING)
  for (const version of VERSIONS) {
    await t.rejects(
      devices.connect({ version, clientId: 'bella', ...access(iot, stranger) }),
      `MQTT ${version}`,
    )
  }
})

t.test('MQTT: a client connects only with the id that its policy names', async (t) => {
  const iot = await startLocalIot(t)
  const statements = [{ Action: 'iot:Connect', Resource: 'client/bella' }]
  const identity = await createIdentity(iot, statements)
  for (const version of VERSIONS) {
    await t.rejects(
      devices.connect({ version, clientId: 'rosa', ...access(iot, identity) }),
      `MQTT ${version}`,
    )
    await (await devices.connect({ version, clientId: 'bella', ...access(iot, identity) })).disconnect()
  }
})

t.test('MQTT: policies decide on publishing, subscribing and receiving; Deny wins', async (t) => {
  const iot = await startLocalIot(t)
  const identity = await createIdentity(iot, [
    { Action: 'iot:Connect', Resource: '*' },
    { Action: ['iot:Publish', 'iot:Receive'], Resource: 'topic/stable/*' },
    { Action: 'iot:Subscribe', Resource: 'topicfilter/stable/*' },
    { Effect: 'Deny', Action: 'iot:Publish', Resource: 'topic/stable/secret' },
    { Effect: 'Deny', Action: 'iot:Receive', Resource: 'topic/stable/hidden' },
  ])
  const device = await devices.connect({ version: 5, clientId: 'five', ...access(iot, identity) })
  t.equal(await device.subscribe('stable/#'), 1)
  t.equal(await device.subscribe('#'), 135)
  t.equal(await device.subscribe('other'), 135)
  t.equal(await device.publish('stable/open', '1'), 0)
  t.equal(await device.publish('stable/hidden', '2'), 0)
  t.equal(await device.publish('stable/secret', '3'), 135, 'Deny wins')
  t.equal(await device.publish('other', '4'), 135, 'not allowed')
  t.equal(
    await device.publish('stable/open', '5', { retain: true }),
    135,
    'RetainPublish is a right of its own',
  )
  t.equal(await device.publish('$aws/events/presence/connected/x', '6'), 135, 'reserved')
  t.equal(await device.publish('stable/open', 'last'), 0)
  t.match(await device.next('message'), { topic: 'stable/open', payload: '1' })
  t.match(await device.next('message'), { topic: 'stable/open', payload: 'last' })

  const older = await devices.connect({ version: 311, clientId: 'three', ...access(iot, identity) })
  t.equal(await older.subscribe('other'), 128)
  void older.publish('stable/secret', '7').catch(() => {})
  await older.next('lost')
  t.same(device.messages(), [])
  t.same(iot.errors, [])
})

t.test('MQTT: a right that is taken away is gone at once', async (t) => {
  const iot = await startLocalIot(t)
  const identity = await createIdentity(iot, EVERYTHING)
  const device = await devices.connect({ version: 5, clientId: 'bella', ...access(iot, identity) })
  await device.subscribe('a')
  t.equal(await device.publish('a', '1'), 0)
  t.match(await device.next('message'), { payload: '1' })
  const policyName = `policy-${identity.certificateId.slice(0, 12)}`
  await iot.control.send(new DetachPolicyCommand({ policyName, target: identity.certificateArn }))
  t.equal(await device.publish('a', '2'), 135)
  await iot.data.send(new PublishCommand({ topic: 'a', payload: Buffer.from('3'), qos: 1 }))
  t.equal(await device.publish('a', '4'), 135)
  t.same(device.messages(), [], 'nor does it receive')
})

t.test('MQTT: a policy can forbid persistent sessions', async (t) => {
  const iot = await startLocalIot(t)
  const Condition = { 'ForAllValues:StringEquals': { 'iot:ConnectAttributes': [] } }
  const identity = await createIdentity(iot, [{ Action: 'iot:Connect', Resource: '*', Condition }])
  for (const version of VERSIONS) {
    const options = { version, clientId: 'bella', ...access(iot, identity) }
    await t.rejects(devices.connect({ ...options, persistent: true }), `MQTT ${version}`)
    await (await devices.connect(options)).disconnect()
  }
})

t.test(
  'MQTT: a certificate that is not active is refused, and one that is deactivated is cut off',
  async (t) => {
    const iot = await startLocalIot(t)
    const identity = await createIdentity(iot, EVERYTHING)
    const { certificateId } = identity
    const setStatus = (newStatus: 'ACTIVE' | 'INACTIVE') =>
      iot.control.send(new UpdateCertificateCommand({ certificateId, newStatus }))
    for (const version of VERSIONS) {
      const options = { version, clientId: 'bella', ...access(iot, identity) }
      const device = await devices.connect(options)
      await setStatus('INACTIVE')
      await device.next('lost')
      await t.rejects(devices.connect(options), `MQTT ${version}`)
      await setStatus('ACTIVE')
      await (await devices.connect(options)).disconnect()
    }
  },
)

t.test(
  'MQTT: the thing name in a policy is that of a thing with this client id and this certificate',
  async (t) => {
    const iot = await startLocalIot(t)
    const name = `\${iot:Connection.Thing.ThingName}`
    const statements = [
      { Action: 'iot:Connect', Resource: `client/${name}` },
      {
        Action: 'iot:Publish',
        Resource: `topic/cameras/${name}/\${iot:Connection.Thing.Attributes[stable]}`,
      },
    ]
    const camera = await createIdentity(iot, statements, 'camera-1')
    await createIdentity(iot, statements, 'camera-2')
    const device = await devices.connect({ version: 5, clientId: 'camera-1', ...access(iot, camera) })
    await t.rejects(
      devices.connect({ version: 5, clientId: 'camera-2', ...access(iot, camera) }),
      'not attached',
    )
    await t.rejects(devices.connect({ version: 5, clientId: 'camera-3', ...access(iot, camera) }), 'no thing')
    t.equal(await device.publish('cameras/camera-1/north', 'x'), 135, 'no such attribute')
    const attributePayload = { attributes: { stable: 'north' } }
    await iot.control.send(new UpdateThingCommand({ thingName: 'camera-1', attributePayload }))
    t.equal(await device.publish('cameras/camera-1/north', 'x'), 0, 'at once')
    t.equal(await device.publish('cameras/camera-2/north', 'x'), 135)
  },
)
