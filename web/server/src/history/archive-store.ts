import { GetObjectCommand, ListObjectsV2Command, NoSuchKey, S3Client } from '@aws-sdk/client-s3'
import { ARCHIVE_PREFIX } from '@pesebre/contract/archive'

/** The archive as the index sees it. */
export type ArchiveStore = {
  /** Ids of the gateways that have archived anything. */
  gateways(): Promise<string[]>
  /** Up to a thousand keys below `prefix` that come after `after`, in their order. */
  keys(prefix: string, after: string): Promise<string[]>
  /** Undefined when there is no such object. */
  get(key: string): Promise<Uint8Array | undefined>
  close(): void
}

/** Opens the archive in a bucket. */
export function openArchiveStore(bucket: string): ArchiveStore {
  // Bucket names with dots, and stand-ins on one machine, have no host name of their own.
  const client = new S3Client({ forcePathStyle: true })

  async function gateways(): Promise<string[]> {
    const prefix = `${ARCHIVE_PREFIX}gateway=`
    const { CommonPrefixes = [] } = await client.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, Delimiter: '/' }),
    )
    return CommonPrefixes.map(({ Prefix = '' }) => Prefix.slice(prefix.length, -1)).filter((id) => id !== '')
  }

  return {
    gateways,
    keys: async (Prefix, StartAfter) => {
      const { Contents = [] } = await client.send(
        new ListObjectsV2Command({ Bucket: bucket, Prefix, StartAfter }),
      )
      return Contents.flatMap(({ Key }) => Key ?? [])
    },
    get: async (Key) => {
      try {
        const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key }))
        return await Body?.transformToByteArray()
      } catch (error) {
        if (error instanceof NoSuchKey) return undefined
        throw error
      }
    },
    close: () => client.destroy(),
  }
}
