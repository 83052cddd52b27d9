import { HeadBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { thingName } from '@pesebre/contract/kid'
import { sql } from 'kysely'
import type { Database } from '../db/database.ts'
import type { Link } from '../iot/iot.ts'
import type { Shadows } from '../iot/shadows.ts'
import { type Look, lookAt } from './looks.ts'

/** A thing that nobody has, of a kind whose shadows we may read. */
const NOBODY = thingName('test', 0)

/** AWS IoT over HTTP: whether a shadow can be read. That there is none is an answer, too. */
export function lookAtShadows(shadows: Pick<Shadows, 'read'>): Promise<Look> {
  return lookAt('shadow', async () => {
    await shadows.read(NOBODY)
    return { note: 'can be read' }
  })
}

/** AWS IoT over MQTT, by its own process. */
export function lookAtMqtt(link: Link | undefined, now: number): Look {
  if (link === undefined) return { hop: 'mqtt', id: '', state: 'unknown', note: 'not set up' }
  return link.isLive
    ? { hop: 'mqtt', id: '', state: 'ok', note: 'connected' }
    : {
        hop: 'mqtt',
        id: '',
        state: 'broken',
        note: 'not connected: pages show what was known then, cameras cannot be started',
        age: Math.max(0, now - link.since),
      }
}

export function lookAtDatabase(db: Database): Promise<Look> {
  return lookAt('database', async () => {
    await sql`select 1`.execute(db.sql)
    return { note: db.flavor === 'mysql' ? 'MySQL answers' : 'SQLite answers' }
  })
}

/** S3: whether the bucket is there, and ours. */
export function openBucketLook(bucket: string | undefined): { look(): Promise<Look>; close(): void } {
  if (bucket === undefined) {
    const unset: Look = { hop: 's3', id: '', state: 'unknown', note: 'not set up' }
    return { look: async () => unset, close() {} }
  }
  const endpoint = process.env['AWS_ENDPOINT_URL_S3'] ?? process.env['AWS_ENDPOINT_URL']
  const client = new S3Client({
    forcePathStyle: endpoint !== undefined,
    maxAttempts: 1,
    requestHandler: { connectionTimeout: 2000, requestTimeout: 3000, throwOnRequestTimeout: true },
  })
  return {
    look: () =>
      lookAt('s3', async () => {
        await client.send(new HeadBucketCommand({ Bucket: bucket }))
        return { note: 'the bucket is there' }
      }),
    close: () => client.destroy(),
  }
}
