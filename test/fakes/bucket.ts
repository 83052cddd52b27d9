import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import { parseArchiveKey } from '@pesebre/contract/archive'
import { parquetReadObjects } from 'hyparquet'

export type Bucket = {
  readonly name: string
  readonly client: S3Client
  /** Keys, in their order. */
  keys(): Promise<string[]>
  get(key: string): Promise<Uint8Array>
  /** Every row of every object, with the object's key; repeats included. */
  rows(): Promise<(Record<string, unknown> & { key: string })[]>
  close(): void
}

/** A new bucket in the stand-in for S3 at `endpoint` (test/fakes/sqs.ts: it is SQS and S3). */
export async function makeBucket(endpoint: string, name = 'pesebre'): Promise<Bucket> {
  const client = new S3Client({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    forcePathStyle: true,
  })
  await client.send(new CreateBucketCommand({ Bucket: name }))

  async function keys(): Promise<string[]> {
    const found: string[] = []
    let ContinuationToken: string | undefined
    do {
      const page = await client.send(new ListObjectsV2Command({ Bucket: name, ContinuationToken }))
      found.push(...(page.Contents ?? []).map(({ Key }) => Key!))
      ContinuationToken = page.NextContinuationToken
    } while (ContinuationToken !== undefined)
    return found
  }

  async function get(key: string): Promise<Uint8Array> {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: name, Key: key }))
    return Body!.transformToByteArray()
  }

  return {
    name,
    client,
    keys,
    get,
    rows: async () => {
      const all: (Record<string, unknown> & { key: string })[] = []
      for (const key of await keys()) {
        if (!parseArchiveKey(key)) throw new Error(`Found an object that is none of the archive: ${key}`)
        all.push(...(await rowsOf(await get(key))).map((row) => ({ ...row, key })))
      }
      return all
    },
    close: () => client.destroy(),
  }
}

/** Reads a Parquet file: one object for each row, integers as numbers and times as Date. */
export async function rowsOf(bytes: Uint8Array): Promise<Record<string, unknown>[]> {
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer
  const rows = await parquetReadObjects({ file })
  return rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [name, typeof value === 'bigint' ? Number(value) : value]),
    ),
  )
}
