import {
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  NoSuchKey,
  NotFound,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { createPresignedPost } from '@aws-sdk/s3-presigned-post'

/** Objects under `pictures/` of the bucket. Undefined where there is no such object. Rejects when S3 cannot be asked. */
export type PictureStore = {
  /** A form by which somebody may put one object of this type, no larger than `bytesMax`, at this key. */
  form(
    key: string,
    limits: { type: string; bytesMax: number; seconds: number },
  ): Promise<{ url: string; fields: Record<string, string> }>
  sizeOf(key: string): Promise<number | undefined>
  get(key: string): Promise<Uint8Array | undefined>
  put(key: string, bytes: Uint8Array, type: string): Promise<void>
  delete(keys: readonly string[]): Promise<void>
  close(): void
}

/** Where browsers send files to: for the Content-Security-Policy. Signs nothing that anybody uses. */
export async function bucketOrigin(bucket: string): Promise<string> {
  const credentials = { accessKeyId: 'nobody', secretAccessKey: 'nobody' }
  const client = new S3Client({ forcePathStyle: endpointOf() !== undefined, credentials })
  const { url } = await createPresignedPost(client, { Bucket: bucket, Key: 'x' })
  client.destroy()
  return new URL(url).origin
}

function endpointOf(): string | undefined {
  return process.env['AWS_ENDPOINT_URL_S3'] ?? process.env['AWS_ENDPOINT_URL']
}

export function openPictureStore(bucket: string): PictureStore {
  const client = new S3Client({
    forcePathStyle: endpointOf() !== undefined,
    maxAttempts: 2,
    requestHandler: { connectionTimeout: 2000, requestTimeout: 20_000, throwOnRequestTimeout: true },
  })
  return {
    form: (key, { type, bytesMax, seconds }) =>
      createPresignedPost(client, {
        Bucket: bucket,
        Key: key,
        Fields: { 'Content-Type': type },
        Conditions: [
          ['content-length-range', 1, bytesMax],
          ['eq', '$Content-Type', type],
        ],
        Expires: seconds,
      }),
    async sizeOf(key) {
      try {
        return (await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }))).ContentLength
      } catch (error) {
        if (error instanceof NotFound || error instanceof NoSuchKey) return undefined
        throw error
      }
    },
    async get(key) {
      try {
        const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }))
        return await Body?.transformToByteArray()
      } catch (error) {
        if (error instanceof NoSuchKey) return undefined
        throw error
      }
    },
    async put(key, bytes, type) {
      const object = { Bucket: bucket, Key: key, Body: bytes, ContentType: type }
      await client.send(
        new PutObjectCommand({ ...object, CacheControl: 'private, max-age=31536000, immutable' }),
      )
    },
    async delete(keys) {
      if (keys.length === 0) return
      const Objects = keys.map((Key) => ({ Key }))
      await client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }))
    },
    close: () => client.destroy(),
  }
}
