import { readFileSync } from 'node:fs'
import { decodeFrame, encodeFrame, FRAME_BYTES_MAX, FrameError, jpegOf } from '@pesebre/contract/frame'
import fc from 'fast-check'
import t from 'tap'

type Vectors = {
  frames: {
    name: string
    level: number
    flags: number
    seq: number
    capture_us: number
    jpeg: string
    bytes: string
  }[]
  refused: { name: string; bytes: string; problem: string }[]
}
const url = new URL(import.meta.resolve('@pesebre/contract/vectors/frame.json'))
const vectors = JSON.parse(readFileSync(url, 'utf8')) as Vectors

t.test('encodeFrame, decodeFrame: bytes as the vectors have them', async (t) => {
  for (const { name, level, flags, seq, capture_us: captureUs, jpeg, bytes } of vectors.frames) {
    const header = { level, flags, seq, captureUs }
    const message = Buffer.from(bytes, 'hex')
    t.equal(Buffer.from(encodeFrame(header, Buffer.from(jpeg, 'hex'))).toString('hex'), bytes, name)
    t.same(decodeFrame(message), header, name)
    t.equal(Buffer.from(jpegOf(message)).toString('hex'), jpeg, name)
  }
})

t.test('decodeFrame: refuses what the vectors say, with the reason', async (t) => {
  for (const { name, bytes, problem } of vectors.refused) {
    const found = decodeFrame(Buffer.from(bytes, 'hex'))
    t.equal(found instanceof FrameError && found.problem, problem, name)
  }
})

t.test('frames: the limit is on the whole message', async (t) => {
  const jpeg = (bytes: number) => Buffer.alloc(bytes, 0xff).fill(0xd8, 1, 2)
  const header = { level: 5, flags: 0, seq: 1, captureUs: 0 }
  t.equal(encodeFrame(header, jpeg(FRAME_BYTES_MAX - 16)).length, FRAME_BYTES_MAX)
  t.throws(() => encodeFrame(header, jpeg(FRAME_BYTES_MAX - 15)), RangeError)
  const long = new Uint8Array(FRAME_BYTES_MAX + 1)
  long.set(encodeFrame(header, jpeg(FRAME_BYTES_MAX - 16)))
  const found = decodeFrame(long)
  t.equal(found instanceof FrameError && found.problem, 'too long')
})

t.test('encodeFrame: a number that does not fit is our fault, and throws', async (t) => {
  const header = { level: 0, flags: 0, seq: 0, captureUs: 0 }
  const jpeg = Uint8Array.of(0xff, 0xd8, 0xff, 0xd9)
  for (const wrong of [
    { level: 256 },
    { level: -1 },
    { flags: 65_536 },
    { seq: 2 ** 32 },
    { captureUs: 0.5 },
  ])
    t.throws(() => encodeFrame({ ...header, ...wrong }, jpeg), RangeError, JSON.stringify(wrong))
})

t.test('decodeFrame: never throws, and gives back every header', async (t) => {
  const uint = (max: number) => fc.integer({ min: 0, max })
  fc.assert(
    fc.property(
      fc.record({
        level: uint(255),
        flags: uint(65_535),
        seq: fc.nat(2 ** 32 - 1),
        captureUs: fc.maxSafeNat(),
      }),
      (header) => {
        const bytes = encodeFrame(header, Uint8Array.of(0xff, 0xd8, 0xff, 0xd9))
        return JSON.stringify(decodeFrame(bytes)) === JSON.stringify(header)
      },
    ),
  )
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => typeof decodeFrame(bytes) === 'object'))
  t.pass('held')
})
