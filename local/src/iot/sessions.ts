import { Readable } from 'node:stream'
import { deserialize, serialize } from 'node:v8'
import type { Retained } from './retained.ts'
import type { Store } from './store.ts'
import { createTopicIndex } from './topic-index.ts'

/** How long AWS IoT keeps the session of an MQTT 3.1.1 client that is away, milliseconds (quotas: message broker). */
export const SESSION_EXPIRY_MS = 60 * 60 * 1000
/** Messages that wait for one client; later ones are dropped, as on AWS, whose number is an account's own. */
export const SESSION_MESSAGES_MAX = 1000

type Client = { readonly id: string }
type Subscription = {
  readonly clientId: string
  readonly topic: string
  readonly qos: 0 | 1 | 2
  readonly rh?: number
  readonly rap?: boolean
  readonly nl?: boolean
  readonly subscriptionIdentifier?: number
}
type Packet = {
  topic: string
  payload: Buffer
  qos: 0 | 1 | 2
  properties?: object
  messageExpiry?: number
  brokerCounter: number
  messageId?: number
}
type Session = { readonly subscriptions: Map<string, Subscription>; expires: number | undefined }

export type Sessions = ReturnType<typeof createSessions>

type Options = { store: Store; retained: Retained; now: () => number }

/**
 * What aedes asks of its persistence, on the store: persistent sessions with their waiting QoS 1 messages, and
 * retained messages. QoS 2 does not exist on AWS IoT and is refused before it gets here; wills live with their
 * connection.
 */
export function createSessions({ store, retained, now }: Options) {
  const { db } = store
  const addSession = db.prepare('INSERT OR IGNORE INTO sessions VALUES (?, NULL)')
  const setExpiry = db.prepare('UPDATE sessions SET expires = ? WHERE client = ?')
  const addSubscription = db.prepare('INSERT OR REPLACE INTO session_subscriptions VALUES (?, ?, ?)')
  const removeSubscription = db.prepare('DELETE FROM session_subscriptions WHERE client = ? AND filter = ?')
  const enqueue = db.prepare(`
    INSERT OR IGNORE INTO session_messages SELECT ?1, ?2, NULL, ?3
    WHERE (SELECT count(*) FROM session_messages WHERE client = ?1) < ?4`)
  const setMessageId = db.prepare(
    'UPDATE session_messages SET message_id = ? WHERE client = ? AND counter = ?',
  )
  const acknowledged = db.prepare(
    'DELETE FROM session_messages WHERE client = ? AND message_id = ? RETURNING counter, message_id, packet',
  )
  const unsent = db.prepare(
    'DELETE FROM session_messages WHERE client = ? AND counter = ? AND message_id IS NULL',
  )
  const waiting = db.prepare(
    'SELECT counter, message_id, packet FROM session_messages WHERE client = ? ORDER BY counter',
  )
  const removals = ['sessions', 'session_subscriptions', 'session_messages'].map((table) =>
    db.prepare(`DELETE FROM ${table} WHERE client = ?`),
  )

  const sessions = new Map<string, Session>()
  /** Subscriptions whose messages wait while their client is away: those with QoS 1. */
  const lasting = createTopicIndex<Subscription>()
  load()

  function load(): void {
    // Whoever was connected when the last process ended has been away since.
    const expires = now() + SESSION_EXPIRY_MS
    db.prepare('UPDATE sessions SET expires = ? WHERE expires IS NULL').run(expires)
    for (const row of db.prepare('SELECT * FROM sessions').all()) {
      sessions.set(String(row['client']), { subscriptions: new Map(), expires: Number(row['expires']) })
    }
    for (const row of db.prepare('SELECT * FROM session_subscriptions').all()) {
      file(JSON.parse(String(row['options'])) as Subscription)
    }
  }

  function file(subscription: Subscription): void {
    const session = sessions.get(subscription.clientId)
    if (session === undefined) return
    unfile(session, subscription.topic)
    session.subscriptions.set(subscription.topic, subscription)
    if (subscription.qos > 0) lasting.add(subscription.topic, subscription)
  }

  function unfile(session: Session, filter: string): void {
    const subscription = session.subscriptions.get(filter)
    if (subscription === undefined) return
    session.subscriptions.delete(filter)
    lasting.remove(filter, subscription)
  }

  function drop(client: string): void {
    const session = sessions.get(client)
    if (session === undefined) return
    for (const filter of [...session.subscriptions.keys()]) unfile(session, filter)
    sessions.delete(client)
    for (const removal of removals) removal.run(client)
  }

  /** The session of a client unless it has expired, which is when it ends here: no timer is needed. */
  function live(client: string): Session | undefined {
    const session = sessions.get(client)
    if (session?.expires === undefined || session.expires > now()) return session
    drop(client)
    return undefined
  }

  function listening(topic: string): Subscription[] {
    return lasting.match(topic).filter(({ clientId }) => live(clientId) !== undefined)
  }

  return {
    /** Whether a message on a topic would be kept for anybody. */
    wants: (topic: string): boolean => lasting.has(topic),
    /** The client is away: its session ends after `ms`. */
    leave(client: string, ms: number): void {
      const session = sessions.get(client)
      if (session === undefined) return
      session.expires = now() + ms
      setExpiry.run(session.expires, client)
    },

    // From here on, the names and shapes are those of aedes (docs/Aedes.md, "persistence").
    setup: async (broker: { counter: number }) => {
      const row = db.prepare('SELECT max(counter) AS last FROM session_messages').get()
      broker.counter = Number(row?.['last'] ?? 0)
    },
    addSubscriptions: async ({ id }: Client, subscriptions: readonly Omit<Subscription, 'clientId'>[]) => {
      if (!sessions.has(id)) sessions.set(id, { subscriptions: new Map(), expires: undefined })
      addSession.run(id)
      for (const { topic, qos, rh, rap, nl, subscriptionIdentifier } of subscriptions) {
        const options = { clientId: id, topic, qos, rh, rap, nl, subscriptionIdentifier }
        const text = JSON.stringify(options)
        file(JSON.parse(text) as Subscription)
        addSubscription.run(id, topic, text)
      }
    },
    removeSubscriptions: async ({ id }: Client, filters: readonly string[]) => {
      const session = sessions.get(id)
      if (session === undefined) return
      for (const filter of filters) {
        unfile(session, filter)
        removeSubscription.run(id, filter)
      }
    },
    subscriptionsByClient: async ({ id }: Client) => {
      const session = live(id)
      if (session === undefined) return []
      session.expires = undefined
      setExpiry.run(null, id)
      return [...session.subscriptions.values()].map(({ clientId: _, ...subscription }) => subscription)
    },
    subscriptionsByTopic: async (topic: string) => listening(topic),
    cleanSubscriptions: async ({ id }: Client) => drop(id),

    outgoingEnqueue: async ({ clientId }: { clientId: string }, packet: Packet) => keepFor(clientId, packet),
    outgoingEnqueueCombi: async (subscriptions: readonly Subscription[], packet: Packet) => {
      for (const { clientId } of subscriptions) keepFor(clientId, packet)
    },
    outgoingUpdate: async ({ id }: Client, { messageId, brokerCounter }: Packet) => {
      setMessageId.run(messageId ?? null, id, brokerCounter)
    },
    outgoingClearMessageId: async ({ id }: Client, { messageId, brokerCounter }: Packet) => {
      if (messageId === undefined) {
        unsent.run(id, brokerCounter ?? -1)
        return undefined
      }
      const row = acknowledged.get(id, messageId)
      return row === undefined ? undefined : packetOf(row)
    },
    // A client may have connected in the very moment in which everything is closed.
    outgoingStream: ({ id }: Client) => Readable.from(db.isOpen ? waiting.all(id).map(packetOf) : []),

    /** Nothing: `retained.keep` was called before the publisher was answered. */
    storeRetained: async () => {},
    /** Only filters without wildcards get retained messages (Developer Guide, "AWS IoT differences"). */
    createRetainedStreamCombi: (filters: readonly string[]) =>
      Readable.from(
        filters
          .map((filter) => retained.find(filter))
          .filter((message) => message !== undefined)
          .map((message) => ({ cmd: 'publish', retain: true, ...message })),
      ),

    putWill: async () => {},
    delWill: async () => {},
    streamWill: () => Readable.from([]),
    incomingStorePacket: async () => {},
    incomingGetPacket: async () => {
      throw new Error('QoS 2 is not supported by AWS IoT')
    },
    incomingDelPacket: async () => {},
    destroy: async () => {},
  }

  function keepFor(client: string, packet: Packet): void {
    const { topic, payload, qos, properties, messageExpiry, brokerCounter } = packet
    const bytes = serialize({ topic, payload: Buffer.from(payload), qos, properties, messageExpiry })
    enqueue.run(client, brokerCounter, bytes, SESSION_MESSAGES_MAX)
  }
}

function packetOf(row: Record<string, unknown>) {
  const { properties, messageExpiry, ...message } = deserialize(row['packet'] as Uint8Array) as Packet
  return {
    cmd: 'publish',
    ...message,
    retain: false,
    dup: false,
    brokerCounter: Number(row['counter']),
    ...(row['message_id'] !== null && { messageId: Number(row['message_id']) }),
    ...(properties !== undefined && { properties }),
    ...(messageExpiry !== undefined && { messageExpiry }),
  }
}
