import { deserialize, serialize } from 'node:v8'
import { notFound } from './aws-error.ts'
import { cutPage, type PageRequest } from './paging.ts'
import type { Store } from './store.ts'

/** A message that is kept for later subscribers. */
export type RetainedMessage = {
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: 0 | 1
  /** MQTT 5 properties as aedes has them. */
  readonly properties?: object | undefined
}

type Row = {
  topic: string
  payload: Uint8Array
  qos: number
  properties: Uint8Array | null
  modified: number
}

export type Retained = ReturnType<typeof createRetained>

/** Retained messages: at most one per topic, until it is replaced or removed by an empty one. */
export function createRetained({ store, now }: { store: Store; now: () => number }) {
  const { db } = store
  const select = db.prepare('SELECT * FROM retained WHERE topic = ?')
  const write = db.prepare('INSERT OR REPLACE INTO retained VALUES (?, ?, ?, ?, ?)')
  const remove = db.prepare('DELETE FROM retained WHERE topic = ?')
  const list = db.prepare(
    'SELECT topic, length(payload) AS size, qos, modified FROM retained WHERE topic > ? ORDER BY topic LIMIT ?',
  )

  return {
    keep({ topic, payload, qos, properties }: RetainedMessage): void {
      if (payload.length === 0) remove.run(topic)
      else write.run(topic, payload, qos, properties === undefined ? null : serialize(properties), now())
    },
    find(topic: string): RetainedMessage | undefined {
      const row = select.get(topic) as Row | undefined
      return (
        row && {
          topic,
          payload: Buffer.from(row.payload),
          qos: row.qos === 0 ? 0 : 1,
          properties: row.properties === null ? undefined : deserialize(row.properties),
        }
      )
    },
    /** GetRetainedMessage. */
    describe(topic: string) {
      const row = select.get(topic) as Row | undefined
      if (row === undefined) throw notFound(`No retained message on topic: ${topic}`)
      return {
        topic,
        payload: Buffer.from(row.payload).toString('base64'),
        qos: row.qos,
        lastModifiedTime: row.modified,
      }
    },
    /** ListRetainedMessages. */
    list(request: PageRequest) {
      type Summary = { topic: string; size: number; qos: number; modified: number }
      const page = cutPage(
        list.all(request.after, request.limit + 1) as Summary[],
        request,
        (row) => row.topic,
      )
      return {
        retainedTopics: page.items.map(({ topic, size, qos, modified }) => ({
          topic,
          payloadSize: size,
          qos,
          lastModifiedTime: modified,
        })),
        ...(page.next && { nextToken: page.next }),
      }
    },
  }
}
