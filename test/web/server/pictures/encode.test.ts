import { deflateSync } from 'node:zlib'
import sharp from 'sharp'
import t from 'tap'

// The encoder forbids libvips all that it does not need: what the tests need of it is made first.
const RED = { create: { width: 100, height: 50, channels: 3, background: 'red' } } as const
const made = {
  gif: await sharp(RED).gif().toBuffer(),
  tiff: await sharp(RED).tiff().toBuffer(),
  avif: await sharp(RED).avif().toBuffer(),
}
const frames = await sharp([await solid('red'), await solid('blue')], { join: { animated: true } })
  .webp()
  .toBuffer()

const { encodePicture, NotPicture } = await import('../../../../web/server/src/pictures/encode.ts')

async function solid(background: string): Promise<Buffer> {
  return sharp({ create: { width: 16, height: 16, channels: 3, background } })
    .png()
    .toBuffer()
}

async function refusal(file: Uint8Array): Promise<string> {
  return encodePicture(file).then(
    () => 'taken',
    (error: Error) => (error instanceof NotPicture ? error.message : `${error}`),
  )
}

function chunk(type: string, data: Buffer): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt32BE(data.length, 0)
  head.write(type, 4, 'latin1')
  const body = Buffer.concat([head.subarray(4), data])
  const tail = Buffer.alloc(4)
  tail.writeUInt32BE(crc32(body), 0)
  return Buffer.concat([head.subarray(0, 4), body, tail])
}

function crc32(bytes: Buffer): number {
  let crc = ~0
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1))
  }
  return ~crc >>> 0
}

/** A PNG that says that it is so large, of few bytes. */
function bomb(width: number, height: number): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([1, 0, 0, 0, 0], 8)
  const rows = deflateSync(Buffer.alloc(Math.min((width / 8 + 1) * height, 50_000_000)))
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', rows),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

t.test('encodePicture() makes two WebP pictures that fit, and enlarges nothing', async (t) => {
  const large = await sharp({ create: { width: 4000, height: 3000, channels: 3, background: '#964' } })
    .jpeg()
    .toBuffer()
  const { card, full } = await encodePicture(large)
  t.match(await sharp(card).metadata(), { format: 'webp', width: 640, height: 480 })
  t.match(await sharp(full).metadata(), { format: 'webp', width: 1600, height: 1200 })
  const small = await encodePicture(await sharp(RED).png().toBuffer())
  t.match(await sharp(small.full).metadata(), { width: 100, height: 50 })
})

t.test('encodePicture() turns it upright and keeps nothing that tells where it was taken', async (t) => {
  const exif = {
    IFD0: { Make: 'Camera of Olga' },
    IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '40/1 25/1 0/1' },
  }
  const file = await sharp(RED).withExif(exif).withMetadata({ orientation: 6 }).jpeg().toBuffer()
  t.ok((await sharp(file).metadata()).exif)
  for (const picture of Object.values(await encodePicture(file))) {
    const { width, height, exif, xmp, iptc, orientation } = await sharp(picture).metadata()
    t.strictSame(
      { width, height, exif, xmp, iptc, orientation },
      {
        width: 50,
        height: 100,
        exif: undefined,
        xmp: undefined,
        iptc: undefined,
        orientation: undefined,
      },
    )
    t.notOk(Buffer.from(picture).includes('Olga'))
  }
})

t.test('encodePicture() refuses what is no picture, and what nobody needs', async (t) => {
  const png = await sharp(RED).png().toBuffer()
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="/etc/passwd"/></svg>'
  const cases: Record<string, Uint8Array> = {
    nothing: new Uint8Array(),
    text: Buffer.from('a horse'),
    html: Buffer.from('<script>alert(1)</script>'),
    svg: Buffer.from(svg),
    gif: made.gif,
    tiff: made.tiff,
    avif: made.avif,
    animation: frames,
    'half a PNG': png.subarray(0, png.length / 2),
    'half a JPEG': (await sharp(RED).jpeg().toBuffer()).subarray(0, 200),
    'a program': Buffer.from('\x7fELF\x02\x01\x01'),
    pdf: Buffer.from('%PDF-1.7\n1 0 obj'),
  }
  for (const [name, file] of Object.entries(cases))
    t.match(await refusal(file), /^Cannot use a picture: /, name)
})

t.test('encodePicture() refuses a bomb at once, and memory does not grow', async (t) => {
  const before = process.memoryUsage().rss
  for (const file of [bomb(60_000, 60_000), bomb(100_000, 1_000), bomb(2 ** 31 - 1, 2 ** 31 - 1)])
    t.match(await refusal(file), /^Cannot use a picture: /)
  const grown = process.memoryUsage().rss - before
  t.ok(grown < 150_000_000, `${Math.round(grown / 1e6)} MB`)
})

t.test('encodePicture() takes the next one after a bad one', async (t) => {
  const png = await sharp(RED).png().toBuffer()
  const results = await Promise.allSettled([new Uint8Array(), png, Buffer.from('x'), png].map(encodePicture))
  t.strictSame(
    results.map(({ status }) => status),
    ['rejected', 'fulfilled', 'rejected', 'fulfilled'],
  )
})
