import { gunzipSync, gzipSync } from 'node:zlib'
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'

const PREFIX = 'backup/'
const SUFFIX = '.ndjson.gz'

export type StoredBackup = {
  readonly key: string
  /** When it was made, milliseconds since 1970. */
  readonly at: number
  /** Compressed. */
  readonly bytes: number
}

/** Backups in the bucket, under backup/. How long they stay there is the bucket's own rule (its lifecycle). */
export type BackupStore = {
  save(lines: readonly string[], at: number): Promise<StoredBackup>
  /** The newest first. */
  list(): Promise<StoredBackup[]>
  /** @throws Error when there is no such object */
  load(key: string): Promise<string[]>
  close(): void
}

/** Where S3 is comes from the SDK's own environment. */
export function openBackupStore(bucket: string): BackupStore {
  const s3 = new S3Client({ forcePathStyle: true })

  async function list(): Promise<StoredBackup[]> {
    const found: StoredBackup[] = []
    let token: string | undefined
    do {
      const page = await s3.send(
        new ListObjectsV2Command({ Bucket: bucket, Prefix: PREFIX, ContinuationToken: token }),
      )
      for (const { Key = '', Size = 0 } of page.Contents ?? []) {
        const at = timeOf(Key)
        if (at !== undefined) found.push({ key: Key, at, bytes: Size })
      }
      token = page.NextContinuationToken
    } while (token !== undefined)
    return found.toSorted((a, b) => b.at - a.at)
  }

  return {
    list,
    async save(lines, at) {
      const key = `${PREFIX}${new Date(at).toISOString().replaceAll(':', '-')}${SUFFIX}`
      const body = gzipSync(`${lines.join('\n')}\n`)
      await s3.send(
        new PutObjectCommand({ Bucket: bucket, Key: key, Body: body, ContentType: 'application/gzip' }),
      )
      return { key, at, bytes: body.length }
    },
    async load(key) {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }))
      return gunzipSync(await Body!.transformToByteArray())
        .toString()
        .split('\n')
    },
    close: () => s3.destroy(),
  }
}

/** When the backup of a key was made; undefined: it is none of ours. */
function timeOf(key: string): number | undefined {
  const [, date, hour, minute, rest] =
    /^backup\/(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d\.\d{3}Z)\.ndjson\.gz$/.exec(key) ?? []
  return date === undefined ? undefined : Date.parse(`${date}T${hour}:${minute}:${rest}`)
}
