/**
 * MQTT clients of AWS's device SDK in a process of their own, told what to do over IPC by devices.ts. Of their own,
 * because an Mqtt5Client keeps its process alive even after it was closed.
 */
import { once } from 'node:events'
import { iot, iotshadow, mqtt, mqtt5 } from 'aws-iot-device-sdk-v2'
import type { Command, ConnectOptions, Event, ShadowCall } from './devices.ts'

/** A client of either MQTT version. */
type Device = {
  subscribe(filter: string, qos: 0 | 1): Promise<number>
  publish(topic: string, payload: string, how: { qos: 0 | 1; retain: boolean }): Promise<number>
  shadow(call: ShadowCall, request: object): Promise<unknown>
  watchDelta(thingName: string): Promise<void>
  disconnect(): Promise<void>
}

const SHADOW_CLIENT = {
  maxRequestResponseSubscriptions: 6,
  maxStreamingSubscriptions: 2,
  operationTimeoutInSeconds: 5,
}
/** Longer than any test: who is thrown out stays out. */
const RECONNECT_MS = 60_000
const devices = new Map<string, Device>()

process.on('disconnect', () => process.exit(0))
process.on('message', (command: Command) => void obey(command))

async function obey({ id, device: name, ...command }: Command): Promise<void> {
  try {
    tell({ kind: 'done', id, result: (await act(name, command as Command)) ?? null })
  } catch (error) {
    const { message, modeledError } = error as Error & { modeledError?: object }
    tell({ kind: 'failed', id, message, modeled: modeledError ?? null })
  }
}

async function act(name: string, command: Command): Promise<unknown> {
  if (command.kind === 'connect') {
    const connect = command.options.version === 5 ? connect5 : connect311
    devices.set(name, await connect(name, command.options))
    return undefined
  }
  const device = devices.get(name)
  if (device === undefined) throw new Error(`No such device: ${name}`)
  switch (command.kind) {
    case 'subscribe':
      return device.subscribe(command.filter, command.qos)
    case 'publish':
      return device.publish(command.topic, command.payload, command)
    case 'shadow':
      return device.shadow(command.call, command.request)
    case 'watchDelta':
      return device.watchDelta(command.thingName)
    case 'disconnect':
      return device.disconnect()
  }
}

async function connect5(name: string, options: ConnectOptions): Promise<Device> {
  const builder = iot.AwsIotMqtt5ClientConfigBuilder.newDirectMqttBuilderWithMtlsFromMemory(
    '127.0.0.1',
    options.certificatePem,
    options.privateKey,
  )
  builder.withCertificateAuthorityFromPath(undefined, options.caFile)
  builder.withPort(options.port)
  builder.withMinReconnectDelayMs(RECONNECT_MS)
  builder.withMaxReconnectDelayMs(RECONNECT_MS)
  builder.withSessionBehavior(
    options.persistent ? mqtt5.ClientSessionBehavior.RejoinAlways : mqtt5.ClientSessionBehavior.Clean,
  )
  builder.withConnectProperties({
    clientId: options.clientId,
    keepAliveIntervalSeconds: 30,
    ...(options.persistent && { sessionExpiryIntervalSeconds: 600 }),
    ...(options.will && {
      will: { topicName: options.will.topic, payload: options.will.payload, qos: mqtt5.QoS.AtLeastOnce },
    }),
  })
  const client = new mqtt5.Mqtt5Client(builder.build())
  client.on('error', () => {})
  client.on('messageReceived', ({ message }) => {
    const payload = Buffer.from((message.payload ?? new ArrayBuffer(0)) as ArrayBuffer).toString()
    tell({
      kind: 'message',
      device: name,
      topic: message.topicName,
      payload,
      retain: message.retain ?? false,
    })
  })
  client.on('disconnection', ({ disconnect }) =>
    tell({ kind: 'lost', device: name, reason: disconnect?.reasonCode ?? null }),
  )
  const connected = once(client, 'connectionSuccess')
  const refused = once(client, 'connectionFailure').then(([event]) => {
    client.stop()
    throw new Error(`refused: ${event.connack?.reasonCode ?? event.error.message}`)
  })
  client.start()
  await Promise.race([connected, refused])
  refused.catch(() => {})

  return {
    ...shadowOperations(name, iotshadow.IotShadowClientv2.newFromMqtt5(client, SHADOW_CLIENT)),
    async subscribe(topicFilter, qos) {
      const { reasonCodes } = await client.subscribe({ subscriptions: [{ topicFilter, qos }] })
      return reasonCodes[0] ?? -1
    },
    async publish(topicName, payload, { qos, retain }) {
      const ack = await client.publish({ topicName, payload, qos, retain })
      return (ack as mqtt5.PubackPacket | undefined)?.reasonCode ?? 0
    },
    async disconnect() {
      const stopped = once(client, 'stopped')
      client.stop({ reasonCode: mqtt5.DisconnectReasonCode.NormalDisconnection })
      await stopped
    },
  }
}

async function connect311(name: string, options: ConnectOptions): Promise<Device> {
  const builder = iot.AwsIotMqttConnectionConfigBuilder.new_mtls_builder(
    options.certificatePem,
    options.privateKey,
  )
  builder.with_certificate_authority_from_path(undefined, options.caFile)
  builder.with_endpoint('127.0.0.1')
  builder.with_port(options.port)
  builder.with_client_id(options.clientId)
  builder.with_clean_session(!options.persistent)
  builder.with_keep_alive_seconds(30)
  builder.with_reconnect_min_sec(RECONNECT_MS / 1000)
  builder.with_reconnect_max_sec(RECONNECT_MS / 1000)
  if (options.will) {
    builder.with_will({ topic: options.will.topic, payload: options.will.payload, qos: 1, retain: false })
  }
  const connection = new mqtt.MqttClient().new_connection(builder.build())
  connection.on('error', () => {})
  connection.on('interrupt', () => tell({ kind: 'lost', device: name, reason: null }))
  connection.on('message', (topic, payload, _dup, _qos, retain) =>
    tell({ kind: 'message', device: name, topic, payload: Buffer.from(payload).toString(), retain }),
  )
  await connection.connect()

  return {
    ...shadowOperations(name, iotshadow.IotShadowClientv2.newFromMqtt311(connection, SHADOW_CLIENT)),
    async subscribe(filter, qos) {
      const granted = await connection.subscribe(filter, qos)
      return granted.error_code ? 128 : granted.qos
    },
    async publish(topic, payload, { qos, retain }) {
      await connection.publish(topic, payload, qos, retain)
      return 0
    },
    disconnect: () => connection.disconnect(),
  }
}

function shadowOperations(name: string, client: iotshadow.IotShadowClientv2) {
  return {
    shadow: (call: ShadowCall, request: object): Promise<unknown> =>
      (client[call] as (request: object) => Promise<unknown>)(request),
    async watchDelta(thingName: string): Promise<void> {
      const stream = client.createShadowDeltaUpdatedStream({ thingName })
      stream.on('incomingPublish', ({ message }) => tell({ kind: 'delta', device: name, delta: message }))
      const established = once(stream, 'subscriptionStatus')
      stream.open()
      await established
    },
  }
}

function tell(event: Event): void {
  process.send?.(event)
}
