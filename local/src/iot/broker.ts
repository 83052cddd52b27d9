import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer, type TLSSocket } from 'node:tls'
import {
  Aedes,
  type AuthenticateError,
  type Client,
  type ConnectPacket,
  type PublishPacket,
  type Subscription,
} from 'aedes'
import type { MakeArn } from './arn.ts'
import { type Authority, certificateId } from './ca.ts'
import type { Certificates } from './certificates.ts'
import { type Connection, certificateVariables, type createAuthorizer } from './connection.ts'
import { createFanOut } from './fan-out.ts'
import { presenceMessage } from './presence.ts'
import type { Retained } from './retained.ts'
import { SESSION_EXPIRY_MS, type Sessions } from './sessions.ts'
import type { Shadows } from './shadows.ts'
import { PAYLOAD_BYTES_MAX, parseShadowTopic, publishProblem, subscribeProblem } from './topics.ts'

/** Seconds (quotas: connection inactivity); 0 and more than the maximum mean the maximum, less the minimum. */
const KEEP_ALIVE_S = { min: 30, max: 1200 } as const
const CLIENT_ID_BYTES_MAX = 128
const SUBSCRIPTIONS_PER_CONNECTION_MAX = 50
/** What AWS IoT tells MQTT 5 clients (Developer Guide, "CONNACK packet attributes"). */
const MQTT5 = { maximumPacketSize: 149_504, receiveMaximum: 100, topicAliasMaximum: 8 } as const
const SESSION_EXPIRY_S_MAX = 7 * 24 * 60 * 60
const BROKER_ID = 'local'

export type Message = {
  readonly topic: string
  readonly payload: Buffer
  readonly qos: 0 | 1
  readonly retain: boolean
}

export type Broker = {
  readonly port: number
  /** A message of a service: no rule of topics or policies applies. */
  publish(message: Message): void
  /** Whether a message on a topic would reach anybody, now or when they come back. */
  wants(topic: string): boolean
  /** Ends the connections of a certificate. */
  disconnect(certificate: string): void
  close(): Promise<void>
}

type Options = {
  host: string
  port: number
  authority: Authority
  certificates: Certificates
  isPermitted: ReturnType<typeof createAuthorizer>
  shadows: Shadows
  retained: Retained
  sessions: Sessions
  arn: MakeArn
  now: () => number
  onError: (error: Error) => void
}

/**
 * The message broker: MQTT 3.1.1 and 5 over mutual TLS, with AWS's limits, and policies asked at every step.
 * @throws Error with `code` EADDRINUSE when the port is taken
 */
export async function startBroker(options: Options): Promise<Broker> {
  const { certificates, isPermitted, shadows, retained, sessions, arn, now, onError } = options
  const fanOut = createFanOut()
  const connections = new WeakMap<Client, Connection>()
  const online = new Map<string, Client>()
  /** The shadow service ignores wills (Developer Guide, "Detecting a device is connected"). */
  const wills = new WeakSet<object>()
  const sockets = new Set<TLSSocket>()
  let connectionsSoFar = 0

  const aedes = await Aedes.createBroker({
    ...MQTT5,
    id: BROKER_ID,
    keepaliveLimit: KEEP_ALIVE_S.max,
    mq: fanOut,
    persistence: sessions,
    sessionExpiryIntervalLimit: SESSION_EXPIRY_S_MAX,
    preConnect(client, packet, done) {
      takeConnect(connectionOf(client), packet)
      done(null, true)
    },
    authenticate(client, _username, _password, done) {
      const connection = connectionOf(client)
      connection.clientId = client.id
      takeEveryCopy(client)
      const allowed = isClientId(client.id) && isPermitted(connection, 'Connect', 'client', client.id)
      if (allowed) {
        const before = online.get(client.id)
        if (before !== undefined) connectionOf(before).endReason ??= 'DUPLICATE_CLIENTID'
        done(null, true)
      } else {
        connection.endReason = 'AUTH_ERROR'
        const error = new Error(`Not authorized to connect: ${client.id}`) as AuthenticateError
        done(Object.assign(error, { returnCode: 5 }), null)
      }
    },
    authorizePublish(client, packet, done) {
      try {
        done(client === null ? null : takePublish(connectionOf(client), packet))
      } catch (error) {
        onError(error as Error)
        done(error as Error)
      }
    },
    authorizeSubscribe(client, subscription, done) {
      done(null, maySubscribe(connectionOf(client), subscription) ? subscription : null)
    },
    authorizeForward(client, packet) {
      const allowed = isPermitted(connectionOf(client), 'Receive', 'topic', packet.topic)
      return allowed ? packet : null
    },
  })

  aedes.on('clientReady', (client) => {
    online.set(client.id, client)
    announce('connected', client)
  })
  aedes.on('clientDisconnect', (client) => {
    if (online.get(client.id) === client) online.delete(client.id)
    if (!client.clean)
      sessions.leave(
        client.id,
        client.version === 5 ? client.sessionExpiryInterval * 1000 : SESSION_EXPIRY_MS,
      )
    announce('disconnected', client)
  })
  aedes.on('unsubscribe', (filters, client) => {
    const connection = connections.get(client)
    for (const filter of filters) connection?.filters.delete(filter)
  })
  aedes.on('keepaliveTimeout', (client) => {
    connectionOf(client).endReason ??= 'MQTT_KEEP_ALIVE_TIMEOUT'
  })
  aedes.on('clientError', (client, error) => {
    // An error with a code is the network's.
    if (!('code' in error)) connectionOf(client).endReason ??= 'CLIENT_ERROR'
  })
  // aedes tells of a failing store this way; without a listener the process would end.
  ;(aedes as NodeJS.EventEmitter).on('error', onError)

  const server = createServer(
    {
      key: options.authority.server.keyPem,
      cert: options.authority.server.certificatePem,
      ca: options.authority.caPem,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
      // MQTT's small packets would wait for each other's acknowledgement, 40 ms each.
      noDelay: true,
      // The device SDKs ask for the first one on any port but 8883.
      ALPNProtocols: ['x-amzn-mqtt-ca', 'mqtt'],
    },
    accept,
  )
  server.on('tlsClientError', () => {})
  server.listen(options.port, options.host)
  await once(server, 'listening')

  function accept(socket: TLSSocket): void {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    const certificate = socket.getPeerCertificate()
    const id = certificateId(certificate.raw)
    if (!certificates.isActive(id)) {
      socket.destroy()
      return
    }
    connectionsSoFar++
    connections.set(aedes.handle(socket), {
      certificateId: id,
      principal: arn('cert', id),
      address: socket.remoteAddress ?? '',
      sessionId: randomUUID(),
      number: connectionsSoFar,
      certificate: certificateVariables(certificate),
      clientId: '',
      attributes: [],
      willTopic: undefined,
      filters: new Set(),
      endReason: undefined,
    })
  }

  function connectionOf(client: Client): Connection {
    const connection = connections.get(client)
    if (connection === undefined) throw new Error(`Unknown MQTT client: ${client.id}`)
    return connection
  }

  function takeConnect(connection: Connection, packet: ConnectPacket): void {
    const asked = packet.keepalive ?? 0
    const outside = asked === 0 || asked > KEEP_ALIVE_S.max
    // MQTT 5 clients are told by aedes that the limit applies; MQTT 3.1.1 clients, whom it would refuse, are not.
    if (!outside) packet.keepalive = Math.max(asked, KEEP_ALIVE_S.min)
    else if (packet.protocolVersion !== 5) packet.keepalive = KEEP_ALIVE_S.max
    const persistent =
      packet.protocolVersion === 5
        ? (packet.properties?.sessionExpiryInterval ?? 0) > 0
        : packet.clean === false
    connection.attributes = [
      ...(persistent ? (['PersistentConnect'] as const) : []),
      ...(packet.will ? (['LastWill'] as const) : []),
    ]
    if (packet.will === undefined || packet.will === null) return
    connection.willTopic = packet.will.topic
    wills.add(packet.will)
  }

  /**
   * A message before it is acknowledged: refused, or what must outlast this process is done first.
   * @returns the error that ends the connection (MQTT 3.1.1) or is told in the PUBACK (MQTT 5)
   */
  function takePublish(connection: Connection, packet: PublishPacket): Error | null {
    const { topic, retain } = packet
    const payload = Buffer.isBuffer(packet.payload) ? packet.payload : Buffer.from(packet.payload ?? '')
    const isWill = wills.has(packet)
    const problem = packet.qos > 1 ? 'QoS 2 is not supported' : publishProblem(topic, retain)
    if (problem !== undefined) return new Error(`Cannot publish, ${problem}: ${topic}`)
    if (payload.length > PAYLOAD_BYTES_MAX) {
      return new Error(`Cannot publish more than ${PAYLOAD_BYTES_MAX} bytes: ${payload.length}`)
    }
    const permitted =
      isPermitted(connection, 'Publish', 'topic', topic) &&
      (!retain || isPermitted(connection, 'RetainPublish', 'topic', topic))
    if (!permitted) {
      connection.endReason ??= 'AUTH_ERROR'
      return new Error(`Not authorized to publish: ${topic}`)
    }
    if (retain)
      retained.keep({ topic, payload, qos: packet.qos === 0 ? 0 : 1, properties: packet.properties })
    const request = isWill ? undefined : parseShadowTopic(topic)
    if (request !== undefined) shadows.onMessage(request.operation, request.id, payload)
    return null
  }

  function maySubscribe(connection: Connection, { topic, qos }: Subscription): boolean {
    const { filters } = connection
    if (qos > 1 || subscribeProblem(topic) !== undefined) return false
    if (filters.size >= SUBSCRIPTIONS_PER_CONNECTION_MAX && !filters.has(topic)) return false
    if (!isPermitted(connection, 'Subscribe', 'topicfilter', topic)) return false
    filters.add(topic)
    return true
  }

  function announce(event: 'connected' | 'disconnected', client: Client): void {
    const message = presenceMessage(event, connectionOf(client), { at: now(), byClient: saidGoodbye(client) })
    if (message === undefined || !wants(message.topic)) return
    publish({ ...message, qos: 1, retain: false })
  }

  function publish({ topic, payload, qos, retain }: Message): void {
    aedes.publish({ cmd: 'publish', topic, payload, qos, retain, dup: false }, (error) => {
      if (error) onError(error)
    })
  }

  function wants(topic: string): boolean {
    return fanOut.wants(topic) || sessions.wants(topic)
  }

  return {
    port: (server.address() as AddressInfo).port,
    publish,
    wants,
    disconnect(certificate) {
      for (const client of online.values()) {
        const connection = connectionOf(client)
        if (connection.certificateId !== certificate) continue
        connection.endReason ??= 'AUTH_ERROR'
        client.disconnect({ reasonCode: NOT_AUTHORIZED })
      }
    },
    async close() {
      for (const client of online.values()) connectionOf(client).endReason ??= 'SERVER_INITIATED_DISCONNECT'
      server.close()
      await new Promise<void>((resolve) => aedes.close(resolve))
      for (const socket of sockets) socket.destroy()
    },
  }
}

/** Reason code of MQTT 5. */
const NOT_AUTHORIZED = 0x87

function isClientId(id: string): boolean {
  return id !== '' && !id.startsWith('$') && Buffer.byteLength(id) <= CLIENT_ID_BYTES_MAX
}

/**
 * Switches off what aedes does against double delivery: it takes a message for a copy when one with a higher number
 * came before, and so loses QoS 1 messages that a QoS 0 message overtook. A client with overlapping filters gets a
 * message once for each, as MQTT allows.
 */
function takeEveryCopy(client: Client): void {
  const { duplicates } = client as Client & { duplicates: object }
  Object.defineProperty(duplicates, BROKER_ID, { get: () => 0, set: () => {} })
}

/** Whether a DISCONNECT packet came; aedes keeps that to itself. */
function saidGoodbye(client: Client): boolean {
  return (client as Client & { _disconnected: boolean })._disconnected
}
