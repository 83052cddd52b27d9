import { readFileSync } from 'node:fs'
import {
  CreateThingTypeCommand,
  DescribeCertificateCommand,
  DescribeThingCommand,
  DescribeThingTypeCommand,
} from '@aws-sdk/client-iot'
import {
  DeleteThingShadowCommand,
  GetRetainedMessageCommand,
  GetThingShadowCommand,
  PublishCommand,
  UpdateThingShadowCommand,
} from '@aws-sdk/client-iot-data-plane'
import t from 'tap'
import { startIot } from '../../../local/src/iot/start.ts'
import { access, createIdentity, startDevices } from './devices.ts'
import { startProcess } from './process.ts'
import { clientsOf, refusal, startLocalIot, temporaryDir, toJson } from './support.ts'

t.setTimeout(120_000)

t.test('startIot: a restart loses nothing', async (t) => {
  const iot = await startLocalIot(t)
  const { control, data, dir, caFile } = iot
  await control.send(new CreateThingTypeCommand({ thingTypeName: 'feeder' }))
  const identity = await createIdentity(iot, [{ Action: 'iot:*', Resource: '*' }], 'bella')
  const update = (thingName: string, document: object) =>
    data.send(new UpdateThingShadowCommand({ thingName, payload: Buffer.from(JSON.stringify(document)) }))
  await update('bella', { state: { desired: { a: 1 }, reported: { a: 2 } } })
  await update('gone', { state: { reported: { a: 1 } } })
  await data.send(new DeleteThingShadowCommand({ thingName: 'gone' }))
  const kept = { topic: 'stable/kept', payload: Buffer.from('kept'), qos: 1, retain: true }
  await data.send(new PublishCommand(kept))
  const devices = startDevices(t)
  const options = { version: 311, clientId: 'bella', persistent: true, ...access(iot, identity) } as const
  const device = await devices.connect(options)
  await device.subscribe('mail')
  await device.disconnect()
  await data.send(new PublishCommand({ topic: 'mail', payload: Buffer.from('missed'), qos: 1 }))
  const shadow = toJson((await data.send(new GetThingShadowCommand({ thingName: 'bella' }))).payload)
  const ca = readFileSync(caFile, 'utf8')
  await iot.close()

  const again = await startIot({ dir, restPort: 0, mqttPort: 0 })
  t.teardown(() => again.close())
  const clients = clientsOf(again.restPort)
  t.equal(readFileSync(again.caFile, 'utf8'), ca)
  t.match(await clients.control.send(new DescribeThingTypeCommand({ thingTypeName: 'feeder' })), {
    thingTypeName: 'feeder',
  })
  t.match(await clients.control.send(new DescribeThingCommand({ thingName: 'bella' })), { version: 1 })
  const { certificateId } = identity
  const { certificateDescription } = await clients.control.send(
    new DescribeCertificateCommand({ certificateId }),
  )
  t.equal(certificateDescription?.status, 'ACTIVE')
  const same = toJson((await clients.data.send(new GetThingShadowCommand({ thingName: 'bella' }))).payload)
  t.strictSame({ ...same, timestamp: 0 }, { ...shadow, timestamp: 0 })
  const reborn = await clients.data.send(
    new UpdateThingShadowCommand({ thingName: 'gone', payload: Buffer.from('{"state":{}}') }),
  )
  t.equal(toJson(reborn.payload)['version'], 2, 'the version of what was deleted')
  const retained = await clients.data.send(new GetRetainedMessageCommand({ topic: 'stable/kept' }))
  t.equal(Buffer.from(retained.payload ?? []).toString(), 'kept')

  const back = await devices.connect({ ...options, port: again.mqttPort })
  t.match(await back.next('message'), { topic: 'mail', payload: 'missed' }, 'its session waited')
  await clients.data.send(new PublishCommand({ topic: 'mail', payload: Buffer.from('new'), qos: 1 }))
  t.match(await back.next('message'), { payload: 'new' }, 'its subscription is there')
})

t.test('startIot: a second one in the same directory is refused', async (t) => {
  const { dir } = await startLocalIot(t)
  await t.rejects(startIot({ dir, restPort: 0, mqttPort: 0 }), { message: /^Cannot open the store/ })
})

t.test('startIot: a kill in the middle of updates loses none that was answered', async (t) => {
  const dir = await temporaryDir(t)
  const answered = new Map<string, number>()
  for (let round = 0; round < 3; round++) {
    const process = await startProcess(t, 'local/src/iot/main.ts', dir)
    const { data } = clientsOf(process.ports.iot)
    for (const [thingName, version] of answered) {
      const { payload } = await data.send(new GetThingShadowCommand({ thingName }))
      const shadow = toJson(payload)
      t.ok(Number(shadow['version']) >= version, `${thingName}: ${shadow['version']} >= ${version}`)
    }
    let running = true
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      const thingName = `thing-${writer}`
      while (running) {
        const payload = Buffer.from(JSON.stringify({ state: { reported: { round, at: Date.now() } } }))
        const answer = await data
          .send(new UpdateThingShadowCommand({ thingName, payload }))
          .catch(() => undefined)
        if (answer === undefined) return
        answered.set(thingName, Number(toJson(answer.payload)['version']))
      }
    })
    await new Promise((resolve) => setTimeout(resolve, 300))
    await process.end('SIGKILL')
    running = false
    await Promise.all(writers)
    t.equal(answered.size, 8)
  }
  const last = await startProcess(t, 'local/src/iot/main.ts', dir)
  const { data } = clientsOf(last.ports.iot)
  for (const [thingName, version] of answered) {
    const { payload } = await data.send(new GetThingShadowCommand({ thingName }))
    // At most the one update that was on its way when it was killed.
    t.ok([version, version + 1].includes(Number(toJson(payload)['version'])))
  }
  t.match(await refusal(data.send(new GetThingShadowCommand({ thingName: 'nobody' }))), [
    'ResourceNotFoundException',
  ])
})
