import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'

export type ObjectStore = {
  /** Resolves when S3 has the object. Rejects otherwise; then it may have it nevertheless. */
  put(key: string, body: Uint8Array): Promise<void>
  close(): void
}

/** The one bucket that the gateway writes to. Retries are the archive's, so the client makes none of its own. */
export function openObjectStore(bucket: string): ObjectStore {
  const client = new S3Client({
    // Bucket names with dots, and stand-ins on one machine, have no host name of their own.
    forcePathStyle: true,
    // The archive of a second region may be in the first.
    followRegionRedirects: true,
    maxAttempts: 1,
    requestHandler: { connectionTimeout: 3000, requestTimeout: 30_000, throwOnRequestTimeout: true },
  })
  return {
    put: async (Key, Body) => {
      const ContentType = 'application/vnd.apache.parquet'
      await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body, ContentType }))
    },
    close: () => client.destroy(),
  }
}
