import {
  CreateThingCommand,
  CreateThingTypeCommand,
  DeleteThingCommand,
  DeleteThingTypeCommand,
  DeprecateThingTypeCommand,
  DescribeEndpointCommand,
  DescribeThingCommand,
  DescribeThingTypeCommand,
  ListThingsCommand,
  ListThingTypesCommand,
  paginateListThings,
  UpdateThingCommand,
} from '@aws-sdk/client-iot'
import t from 'tap'
import { refusal, startLocalIot } from './support.ts'

t.test('CreateThing, DescribeThing: a thing with type and attributes', async (t) => {
  const { control } = await startLocalIot(t)
  const type = await control.send(
    new CreateThingTypeCommand({
      thingTypeName: 'feeder',
      thingTypeProperties: { thingTypeDescription: 'feeds', searchableAttributes: ['stable'] },
    }),
  )
  t.match(type, { thingTypeName: 'feeder', thingTypeArn: /^arn:aws:iot:us-east-1:\d{12}:thingtype\/feeder$/ })

  const created = await control.send(
    new CreateThingCommand({
      thingName: 'bella',
      thingTypeName: 'feeder',
      attributePayload: { attributes: { stable: 'north' } },
    }),
  )
  t.match(created, { thingName: 'bella', thingArn: /^arn:aws:iot:us-east-1:\d{12}:thing\/bella$/ })
  t.match(await control.send(new DescribeThingCommand({ thingName: 'bella' })), {
    thingName: 'bella',
    thingId: created.thingId,
    thingArn: created.thingArn,
    thingTypeName: 'feeder',
    defaultClientId: 'bella',
    attributes: { stable: 'north' },
    version: 1,
  })
})

t.test('CreateThing: repeated it succeeds, with another configuration it is refused', async (t) => {
  const { control } = await startLocalIot(t)
  for (const thingTypeName of ['feeder', 'camera']) {
    await control.send(new CreateThingTypeCommand({ thingTypeName }))
  }
  const thing = { thingName: 'bella', thingTypeName: 'feeder', attributePayload: { attributes: { a: '1' } } }
  const first = await control.send(new CreateThingCommand(thing))
  const again = await control.send(new CreateThingCommand(thing))
  t.equal(again.thingId, first.thingId)

  const create = (change: object) => refusal(control.send(new CreateThingCommand({ ...thing, ...change })))
  const refused = ['ResourceAlreadyExistsException', 409]
  t.match(await create({ thingTypeName: 'camera' }), refused)
  t.match(await create({ thingTypeName: undefined }), refused)
  t.match(await create({ attributePayload: { attributes: { a: '2' } } }), refused)
  t.match(await create({ attributePayload: undefined }), refused)
  try {
    await control.send(new CreateThingCommand({ thingName: 'bella' }))
  } catch (error) {
    t.match(error, { resourceId: first.thingId, resourceArn: first.thingArn })
  }
})

t.test('CreateThing: what AWS does not take', async (t) => {
  const { control } = await startLocalIot(t)
  const create = (thing: object) =>
    refusal(control.send(new CreateThingCommand({ thingName: 'bella', ...thing })))
  t.match(await create({ thingTypeName: 'nothing' }), ['ResourceNotFoundException', 404])
  t.match(await create({ thingName: 'bella rosa' }), ['InvalidRequestException', 400])
  t.match(await create({ thingName: 'x'.repeat(129) }), ['InvalidRequestException', 400])
  const attributes = (attributes: Record<string, string>) => create({ attributePayload: { attributes } })
  t.match(await attributes({ a: 'with space' }), ['InvalidRequestException', 400])
  t.match(await attributes({ 'with space': 'a' }), ['InvalidRequestException', 400])
  t.match(await attributes({ a: 'x'.repeat(801) }), ['InvalidRequestException', 400])
  t.match(await attributes({ a: '1', b: '2', c: '3', d: '4' }), ['InvalidRequestException', 400])
  t.match(await refusal(control.send(new DescribeThingCommand({ thingName: 'bella' }))), [
    'ResourceNotFoundException',
    404,
  ])
})

t.test(
  'UpdateThing: replaces, merges and removes attributes; changes the type; counts versions',
  async (t) => {
    const { control } = await startLocalIot(t)
    const thingName = 'bella'
    await control.send(new CreateThingTypeCommand({ thingTypeName: 'feeder' }))
    await control.send(
      new CreateThingCommand({ thingName, attributePayload: { attributes: { a: '1', b: '2' } } }),
    )
    const update = (change: object) => control.send(new UpdateThingCommand({ thingName, ...change }))
    const describe = () => control.send(new DescribeThingCommand({ thingName }))

    await update({ attributePayload: { attributes: { b: '3', c: '4' }, merge: true } })
    t.strictSame((await describe()).attributes, { a: '1', b: '3', c: '4' })
    await update({ attributePayload: { attributes: { a: '' }, merge: true } })
    t.strictSame((await describe()).attributes, { b: '3', c: '4' })
    await update({ attributePayload: { attributes: { z: '9' } } })
    t.strictSame((await describe()).attributes, { z: '9' })
    await update({ thingTypeName: 'feeder', expectedVersion: 4 })
    t.match(await describe(), { thingTypeName: 'feeder', attributes: { z: '9' }, version: 5 })
    t.match(await refusal(update({ removeThingType: true, expectedVersion: 4 })), [
      'VersionConflictException',
      409,
    ])
    await update({ removeThingType: true })
    t.equal((await describe()).thingTypeName, undefined)
    t.match(await refusal(control.send(new UpdateThingCommand({ thingName: 'nobody' }))), [
      'ResourceNotFoundException',
      404,
    ])
  },
)

t.test('DeleteThing: succeeds for one that does not exist, and minds the expected version', async (t) => {
  const { control } = await startLocalIot(t)
  const remove = (expectedVersion?: number) =>
    control.send(
      new DeleteThingCommand({
        thingName: 'bella',
        ...(expectedVersion !== undefined && { expectedVersion }),
      }),
    )
  await remove()
  await control.send(new CreateThingCommand({ thingName: 'bella' }))
  t.match(await refusal(remove(2)), ['VersionConflictException', 409])
  await remove(1)
  t.match(await refusal(control.send(new DescribeThingCommand({ thingName: 'bella' }))), [
    'ResourceNotFoundException',
  ])
})

t.test('ListThings: pages, by type, by attribute, by the beginning of an attribute', async (t) => {
  const { control } = await startLocalIot(t)
  await control.send(new CreateThingTypeCommand({ thingTypeName: 'feeder' }))
  for (let number = 0; number < 60; number++) {
    const thingName = `thing-${String(number).padStart(2, '0')}`
    const attributes = { stable: number % 2 === 0 ? 'north-1' : 'south-1', parity: `${number % 2}` }
    const thingTypeName = number < 10 ? 'feeder' : undefined
    await control.send(
      new CreateThingCommand({
        thingName,
        attributePayload: { attributes },
        ...(thingTypeName && { thingTypeName }),
      }),
    )
  }
  const names: (string | undefined)[] = []
  const sizes: number[] = []
  for await (const { things = [] } of paginateListThings({ client: control, pageSize: 25 }, {})) {
    sizes.push(things.length)
    names.push(...things.map(({ thingName }) => thingName))
  }
  t.same(sizes, [25, 25, 10])
  t.equal(new Set(names).size, 60)
  t.equal((await control.send(new ListThingsCommand({}))).things?.length, 25, 'standard page')

  const list = async (query: object) => {
    const { things = [] } = await control.send(new ListThingsCommand({ maxResults: 250, ...query }))
    return things.length
  }
  t.equal(await list({ thingTypeName: 'feeder' }), 10)
  t.equal(await list({ attributeName: 'stable', attributeValue: 'north-1' }), 30)
  t.equal(await list({ attributeName: 'stable', attributeValue: 'north' }), 0)
  t.equal(await list({ attributeName: 'stable', attributeValue: 'north', usePrefixAttributeValue: true }), 30)
  t.equal(await list({ thingTypeName: 'feeder', attributeName: 'parity', attributeValue: '1' }), 5)
  t.match(await refusal(control.send(new ListThingsCommand({ maxResults: 251 }))), [
    'InvalidRequestException',
    400,
  ])
})

t.test('thing types: repeated, listed, deprecated, and deleted five minutes later', async (t) => {
  let now = 1_700_000_000_000
  const { control } = await startLocalIot(t, () => now)
  const type = { thingTypeName: 'feeder', thingTypeProperties: { thingTypeDescription: 'feeds' } }
  const first = await control.send(new CreateThingTypeCommand(type))
  t.equal((await control.send(new CreateThingTypeCommand(type))).thingTypeId, first.thingTypeId)
  t.match(await refusal(control.send(new CreateThingTypeCommand({ thingTypeName: 'feeder' }))), [
    'ResourceAlreadyExistsException',
    409,
  ])
  await control.send(new CreateThingTypeCommand({ thingTypeName: 'camera' }))
  const { thingTypes = [] } = await control.send(new ListThingTypesCommand({}))
  t.same(
    thingTypes.map(({ thingTypeName }) => thingTypeName),
    ['camera', 'feeder'],
  )
  t.match(await control.send(new DescribeThingTypeCommand({ thingTypeName: 'feeder' })), {
    thingTypeProperties: { thingTypeDescription: 'feeds' },
    thingTypeMetadata: { deprecated: false, creationDate: new Date(now) },
  })

  const deprecate = (undoDeprecate: boolean) =>
    control.send(new DeprecateThingTypeCommand({ thingTypeName: 'feeder', undoDeprecate }))
  const remove = () => refusal(control.send(new DeleteThingTypeCommand({ thingTypeName: 'feeder' })))
  t.match(await remove(), ['InvalidRequestException', 400], 'not deprecated')
  await deprecate(false)
  t.match(await refusal(control.send(new CreateThingCommand({ thingName: 'a', thingTypeName: 'feeder' }))), [
    'InvalidRequestException',
    400,
  ])
  t.match(await remove(), ['InvalidRequestException', 400], 'just deprecated')
  now += 5 * 60_000
  await deprecate(true)
  await control.send(new CreateThingCommand({ thingName: 'a', thingTypeName: 'feeder' }))
  await deprecate(false)
  now += 5 * 60_000
  t.match(await remove(), ['InvalidRequestException', 400], 'a thing has it')
  await control.send(new DeleteThingCommand({ thingName: 'a' }))
  t.equal(await remove(), 'passed')
  t.match(await remove(), ['ResourceNotFoundException', 404])
})

t.test('DescribeEndpoint: the address of the broker', async (t) => {
  const { control, mqttPort } = await startLocalIot(t)
  const { endpointAddress } = await control.send(
    new DescribeEndpointCommand({ endpointType: 'iot:Data-ATS' }),
  )
  t.equal(endpointAddress, `127.0.0.1:${mqttPort}`)
})
