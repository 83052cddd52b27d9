import type { ConnectPacket, PublishPacket, Subscription } from 'aedes'
import type { Connection, createAuthorizer } from './connection.ts'
import type { Retained } from './retained.ts'
import type { Shadows } from './shadows.ts'
import { PAYLOAD_BYTES_MAX, parseShadowTopic, publishProblem, subscribeProblem } from './topics.ts'

/** Seconds (quotas: connection inactivity); 0 and more than the maximum mean the maximum, less the minimum. */
export const KEEP_ALIVE_S = { min: 30, max: 1200 } as const
const CLIENT_ID_BYTES_MAX = 128
const SUBSCRIPTIONS_PER_CONNECTION_MAX = 50

export type Admission = ReturnType<typeof createAdmission>

type Options = {
  isPermitted: ReturnType<typeof createAuthorizer>
  shadows: Shadows
  retained: Retained
}

/** What a client may do, step by step: AWS's limits first, then the policies of its certificate. */
export function createAdmission({ isPermitted, shadows, retained }: Options) {
  /** The shadow service ignores wills (Developer Guide, "Detecting a device is connected"). */
  const wills = new WeakSet<object>()

  return {
    /** A CONNECT packet before it is looked at by anybody else: notes what policies ask for, mends the keep-alive. */
    open(connection: Connection, packet: ConnectPacket): void {
      const asked = packet.keepalive ?? 0
      const outside = asked === 0 || asked > KEEP_ALIVE_S.max
      // MQTT 5 clients are told by aedes that the limit applies; MQTT 3.1.1 clients, whom it would refuse, are not.
      if (!outside) packet.keepalive = Math.max(asked, KEEP_ALIVE_S.min)
      else if (packet.protocolVersion !== 5) packet.keepalive = KEEP_ALIVE_S.max
      const { will } = packet
      connection.attributes = [
        ...(isPersistent(packet) ? (['PersistentConnect'] as const) : []),
        ...(will ? (['LastWill'] as const) : []),
      ]
      if (!will) return
      connection.willTopic = will.topic
      wills.add(will)
    },

    mayConnect(connection: Connection, clientId: string): boolean {
      connection.clientId = clientId
      return isClientId(clientId) && isPermitted(connection, 'Connect', 'client', clientId)
    },

    /**
     * A message before it is acknowledged: refused, or what must outlast this process is done at once.
     * @returns the error that ends the connection (MQTT 3.1.1) or is told in the PUBACK (MQTT 5)
     */
    takePublish(connection: Connection, packet: PublishPacket): Error | null {
      const { topic, retain, properties } = packet
      const payload = Buffer.isBuffer(packet.payload) ? packet.payload : Buffer.from(packet.payload ?? '')
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
      if (retain) retained.keep({ topic, payload, qos: packet.qos === 0 ? 0 : 1, properties })
      const request = wills.has(packet) ? undefined : parseShadowTopic(topic)
      if (request !== undefined) shadows.onMessage(request.operation, request.id, payload)
      return null
    },

    maySubscribe(connection: Connection, { topic, qos }: Subscription): boolean {
      const { filters } = connection
      if (qos > 1 || subscribeProblem(topic) !== undefined) return false
      if (filters.size >= SUBSCRIPTIONS_PER_CONNECTION_MAX && !filters.has(topic)) return false
      if (!isPermitted(connection, 'Subscribe', 'topicfilter', topic)) return false
      filters.add(topic)
      return true
    },

    mayReceive: (connection: Connection, topic: string): boolean =>
      isPermitted(connection, 'Receive', 'topic', topic),
  }
}

function isPersistent({ protocolVersion, clean, properties }: ConnectPacket): boolean {
  return protocolVersion === 5 ? (properties?.sessionExpiryInterval ?? 0) > 0 : clean === false
}

/** Ids with a dollar sign in front are AWS's own (quotas: restricted client ID prefix). */
function isClientId(id: string): boolean {
  return id !== '' && !id.startsWith('$') && Buffer.byteLength(id) <= CLIENT_ID_BYTES_MAX
}
