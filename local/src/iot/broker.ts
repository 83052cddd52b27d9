import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer, type TLSSocket } from 'node:tls'
import { Aedes, type AuthenticateError, type Client } from 'aedes'
import { type Admission, KEEP_ALIVE_S } from './admission.ts'
import type { MakeArn } from './arn.ts'
import { type Authority, certificateId } from './ca.ts'
import type { Certificates } from './certificates.ts'
import { type Connection, certificateVariables } from './connection.ts'
import { createFanOut } from './fan-out.ts'
import { presenceMessage } from './presence.ts'
import { SESSION_EXPIRY_MS, type Sessions } from './sessions.ts'

/** What AWS IoT tells MQTT 5 clients (Developer Guide, "CONNACK packet attributes"). */
const MQTT5 = { maximumPacketSize: 149_504, receiveMaximum: 100, topicAliasMaximum: 8 } as const
const SESSION_EXPIRY_S_MAX = 7 * 24 * 60 * 60
/** Reason code of MQTT 5. */
const NOT_AUTHORIZED = 0x87
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
  admission: Admission
  sessions: Sessions
  arn: MakeArn
  now: () => number
  /** Told of failures that no client caused. */
  onError: (error: Error) => void
}

/**
 * The message broker: MQTT 3.1.1 and 5 over mutual TLS. What a client may do is decided by `admission`.
 * @throws Error with `code` EADDRINUSE when the port is taken
 */
export async function startBroker(options: Options): Promise<Broker> {
  const { authority, certificates, admission, sessions, arn, now, onError } = options
  const fanOut = createFanOut()
  const connections = new WeakMap<Client, Connection>()
  const online = new Map<string, Client>()
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
      admission.open(connectionOf(client), packet)
      done(null, true)
    },
    authenticate(client, _username, _password, done) {
      const connection = connectionOf(client)
      takeEveryCopy(client)
      if (decide(() => isActive(connection) && admission.mayConnect(connection, client.id))) {
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
        done(client === null ? null : admission.takePublish(connectionOf(client), packet))
      } catch (error) {
        onError(error as Error)
        done(error as Error)
      }
    },
    authorizeSubscribe(client, subscription, done) {
      const allowed = decide(() => admission.maySubscribe(connectionOf(client), subscription))
      done(null, allowed ? subscription : null)
    },
    authorizeForward(client, packet) {
      return decide(() => admission.mayReceive(connectionOf(client), packet.topic)) ? packet : null
    },
  })

  aedes.on('clientReady', (client) => {
    online.set(client.id, client)
    announce('connected', client)
  })
  aedes.on('clientDisconnect', (client) => {
    if (online.get(client.id) === client) online.delete(client.id)
    const expiry = client.version === 5 ? client.sessionExpiryInterval * 1000 : SESSION_EXPIRY_MS
    if (!client.clean) sessions.leave(client.id, expiry)
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
  const emitter: NodeJS.EventEmitter = aedes
  emitter.on('error', onError)

  const server = createServer(
    {
      key: authority.server.keyPem,
      cert: authority.server.certificatePem,
      ca: authority.caPem,
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
  server.on('error', onError)

  function accept(socket: TLSSocket): void {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    const certificate = socket.getPeerCertificate()
    // Nothing is there when the client has gone meanwhile.
    const id = certificate.raw === undefined ? '' : certificateId(certificate.raw)
    const connection: Connection = {
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
    }
    if (!decide(() => isActive(connection))) {
      socket.destroy()
      return
    }
    connectionsSoFar++
    connections.set(aedes.handle(socket), connection)
  }

  function isActive({ certificateId }: Connection): boolean {
    return certificates.isActive(certificateId)
  }

  function connectionOf(client: Client): Connection {
    const connection = connections.get(client)
    if (connection === undefined) throw new Error(`Unknown MQTT client: ${client.id}`)
    return connection
  }

  /** What cannot be decided, because the store fails, is refused: thrown into aedes, it would end the process. */
  function decide(ask: () => boolean): boolean {
    try {
      return ask()
    } catch (error) {
      onError(error as Error)
      return false
    }
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
