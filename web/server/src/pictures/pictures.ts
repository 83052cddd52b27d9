import { randomBytes } from 'node:crypto'
import { PICTURE_BYTES_MAX, type PictureForm } from '@pesebre/contract/api/picture'
import type { Database } from '../db/database.ts'
import { Problem } from '../problems.ts'
import { encodePicture, NotPicture, PICTURE_SIZES, type PictureSize } from './encode.ts'
import type { PictureStore } from './store.ts'

/** Pictures of horses, as the routes use them. Who may is decided there. */
export type Pictures = {
  /** A form by which a browser sends a file to the bucket. */
  form(horse: string, type: string): Promise<PictureForm>
  /** Makes the horse's picture out of what was sent. @throws Problem 409 nothing was sent, 422 it is no picture */
  take(horse: string, at: number): Promise<{ key: string }>
  /** Undefined: there is none. `key` changes with each picture. */
  read(horse: string, size: PictureSize): Promise<{ key: string; bytes: Uint8Array } | undefined>
  close(): void
}

/** How long somebody has to send a file, seconds. */
const FORM_S = 600
const FOLDER = 'pictures'
const TYPE = 'image/webp'
/** Bytes of pictures that are kept at hand: those of a stable's page come back again and again. */
const CACHE_BYTES = 16 * 1024 * 1024

/** @param onError told what could not be deleted; it lies in the bucket and harms nobody */
export function createPictures(
  { db, store, now }: { db: Database; store: PictureStore; now: () => number },
  onError: (error: unknown) => void,
): Pictures {
  const cache = createCache()

  async function keyOf(horse: string): Promise<string | null> {
    const row = await db.sql
      .selectFrom('horses')
      .select('picture_key')
      .where('id', '=', horse)
      .executeTakeFirst()
    return row?.picture_key ?? null
  }

  async function take(horse: string, at: number): Promise<{ key: string }> {
    const incoming = incomingOf(horse)
    const size = await store.sizeOf(incoming)
    if (size === undefined)
      throw new Problem('conflict', { reason: 'missing', detail: 'No picture has arrived: send it first' })
    const before = await keyOf(horse)
    const old = before === null ? [] : PICTURE_SIZES.map((one) => objectOf(before, one))
    try {
      // The form limits it already; not every S3 keeps to that.
      if (size > PICTURE_BYTES_MAX) throw new NotPicture(`Cannot use a picture: ${size} bytes`)
      const file = await store.get(incoming)
      const made = await encodePicture(file ?? new Uint8Array())
      const key = `${FOLDER}/${horse}/${randomBytes(10).toString('hex')}`
      for (const one of PICTURE_SIZES) await store.put(objectOf(key, one), made[one], TYPE)
      await db.sql
        .updateTable('horses')
        .set({ picture_key: key, picture_at: at })
        .where('id', '=', horse)
        .execute()
      await store.delete([incoming, ...old]).catch(onError)
      return { key }
    } catch (error) {
      if (!(error instanceof NotPicture)) throw error
      await store.delete([incoming]).catch(onError)
      throw new Problem('refused', { reason: 'not-picture', detail: error.message })
    }
  }

  return {
    async form(horse, type) {
      const limits = { type, bytesMax: PICTURE_BYTES_MAX, seconds: FORM_S }
      const { url, fields } = await store.form(incomingOf(horse), limits)
      return { url, fields, expires: now() + FORM_S * 1000 }
    },
    take,
    async read(horse, size) {
      const key = await keyOf(horse)
      if (key === null) return undefined
      const object = objectOf(key, size)
      const bytes = cache.get(object) ?? (await store.get(object))
      if (bytes === undefined) return undefined
      cache.put(object, bytes)
      return { key, bytes }
    },
    close: () => store.close(),
  }
}

/** Of one horse there is one file on its way: a second one takes the place of the first. */
function incomingOf(horse: string): string {
  return `${FOLDER}/incoming/${horse}`
}

function objectOf(key: string, size: PictureSize): string {
  return `${key}/${size}.webp`
}

/** The ones that were used last. */
function createCache() {
  const held = new Map<string, Uint8Array>()
  let bytes = 0
  return {
    get: (key: string) => held.get(key),
    put(key: string, value: Uint8Array) {
      bytes += value.length - (held.get(key)?.length ?? 0)
      held.delete(key)
      held.set(key, value)
      for (const [oldest, { length }] of held) {
        if (bytes <= CACHE_BYTES) break
        held.delete(oldest)
        bytes -= length
      }
    },
  }
}
