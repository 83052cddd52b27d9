import sharp, { type Metadata, type Sharp } from 'sharp'

export type PictureSize = 'card' | 'full'
export const PICTURE_SIZES = ['card', 'full'] as const

/** Both pictures, as WebP. */
export type Encoded = Readonly<Record<PictureSize, Uint8Array>>

/** Why a file is no picture of a horse. The message is for people who debug. */
export class NotPicture extends Error {
  override name = 'NotPicture' as const
}

/** Longer side, pixels. */
const SIDES: Readonly<Record<PictureSize, number>> = { card: 640, full: 1600 }
const QUALITY = 80
/** More than a telephone's camera makes. A file of some kilobytes may say that it is a billion. */
const PIXELS_MAX = 60_000_000
const SECONDS_MAX = 15
const FORMATS: ReadonlySet<string> = new Set(['jpeg', 'png', 'webp'])

// Of all that libvips can read only these: whoever sends us something else does not get to its parser.
sharp.block({ operation: ['VipsForeignLoad'] })
sharp.unblock({
  operation: ['VipsForeignLoadJpegBuffer', 'VipsForeignLoadPngBuffer', 'VipsForeignLoadWebpBuffer'],
})
// One picture now and then: no memory is kept for the next, and the other core is for the rest of the server.
sharp.cache(false)
sharp.concurrency(1)

let turn: Promise<unknown> = Promise.resolve()

/**
 * Makes our own two pictures of a file: turned upright, without EXIF (which tells where the horse stands), in sizes that we
 * chose. One after the other: each takes memory. @throws NotPicture
 */
export function encodePicture(file: Uint8Array): Promise<Encoded> {
  const made = turn.then(() => encode(file))
  turn = made.catch(() => {})
  return made
}

async function encode(file: Uint8Array): Promise<Encoded> {
  const { format, pages = 1 } = await metadataOf(file)
  if (!FORMATS.has(format ?? '')) throw new NotPicture(`Cannot use a picture: format ${format}`)
  if (pages > 1) throw new NotPicture(`Cannot use a picture: it has ${pages} frames`)
  const [card, full] = [await resize(file, 'card'), await resize(file, 'full')]
  return { card, full }
}

async function metadataOf(file: Uint8Array): Promise<Metadata> {
  try {
    return await open(file).metadata()
  } catch (error) {
    throw notPicture(error)
  }
}

async function resize(file: Uint8Array, size: PictureSize): Promise<Uint8Array> {
  const side = SIDES[size]
  try {
    // Without withMetadata() nothing of EXIF, XMP or IPTC is written; colours are brought to sRGB.
    return await open(file)
      .rotate()
      .resize({ width: side, height: side, fit: 'inside', withoutEnlargement: true })
      .webp({ quality: QUALITY })
      .timeout({ seconds: SECONDS_MAX })
      .toBuffer()
  } catch (error) {
    throw notPicture(error)
  }
}

function open(file: Uint8Array): Sharp {
  return sharp(file, { limitInputPixels: PIXELS_MAX, failOn: 'error', sequentialRead: true })
}

function notPicture(cause: unknown): NotPicture {
  return new NotPicture(`Cannot use a picture: ${(cause as Error).message.split('\n')[0]}`, { cause })
}
