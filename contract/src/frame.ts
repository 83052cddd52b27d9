/**
 * One picture of a camera on its way to the viewers: a binary WebSocket message of a 16-byte header and one JPEG.
 * Big endian: version u8, level u8, flags u16, seq u32, capture_us u64. The relay passes it on as it came.
 */

export const FRAME_VERSION = 1
export const FRAME_HEADER_BYTES = 16
/** Largest message, header included, bytes. */
export const FRAME_BYTES_MAX = 256 * 1024
export const FRAME_SEQ_MAX = 0xffff_ffff

export type FrameHeader = {
  /** Step of the ladder that the picture was made at (ladder.ts), 0 is the smallest. */
  readonly level: number
  /** None is defined in version 1: senders write 0, receivers ignore it. */
  readonly flags: number
  /** Rises by one or more with each picture of a stream. */
  readonly seq: number
  /** When the picture was taken: microseconds of the camera's own clock, which never goes back, and says no time of day. */
  readonly captureUs: number
}

export type FrameProblem = 'too short' | 'too long' | 'unknown version' | 'no JPEG' | 'time out of range'

/** Why `decodeFrame` refuses a message. */
export class FrameError extends Error {
  override name = 'FrameError' as const
  readonly problem: FrameProblem
  constructor(problem: FrameProblem) {
    super(`Cannot read a frame: ${problem}`)
    this.problem = problem
  }
}

/** Header and JPEG as one message. @throws RangeError for a number that does not fit, or a picture that is too large */
export function encodeFrame(header: FrameHeader, jpeg: Uint8Array): Uint8Array<ArrayBuffer> {
  const { level, flags, seq, captureUs } = header
  if (!isUint(level, 0xff)) throw new RangeError(`Cannot make a frame: level ${level}`)
  if (!isUint(flags, 0xffff)) throw new RangeError(`Cannot make a frame: flags ${flags}`)
  if (!isUint(seq, FRAME_SEQ_MAX)) throw new RangeError(`Cannot make a frame: seq ${seq}`)
  if (!isUint(captureUs, Number.MAX_SAFE_INTEGER))
    throw new RangeError(`Cannot make a frame: capture time ${captureUs}`)
  const length = FRAME_HEADER_BYTES + jpeg.length
  if (length > FRAME_BYTES_MAX) throw new RangeError(`Cannot make a frame: ${length} bytes`)
  const bytes = new Uint8Array(length)
  const view = new DataView(bytes.buffer)
  view.setUint8(0, FRAME_VERSION)
  view.setUint8(1, level)
  view.setUint16(2, flags)
  view.setUint32(4, seq)
  view.setUint32(8, Math.floor(captureUs / 2 ** 32))
  view.setUint32(12, captureUs % 2 ** 32)
  bytes.set(jpeg, FRAME_HEADER_BYTES)
  return bytes
}

/** What the header says, or what is wrong with the message. Never throws: cameras are strangers, too. */
export function decodeFrame(bytes: Uint8Array): FrameHeader | FrameError {
  // The shortest JPEG is its two markers, SOI and EOI (ITU-T T.81, annex B).
  if (bytes.length < FRAME_HEADER_BYTES + 4) return new FrameError('too short')
  if (bytes.length > FRAME_BYTES_MAX) return new FrameError('too long')
  if (bytes[0] !== FRAME_VERSION) return new FrameError('unknown version')
  // SOI, and the first byte of the marker that follows.
  if (bytes[16] !== 0xff || bytes[17] !== 0xd8 || bytes[18] !== 0xff) return new FrameError('no JPEG')
  const view = new DataView(bytes.buffer, bytes.byteOffset, FRAME_HEADER_BYTES)
  const captureUs = view.getUint32(8) * 2 ** 32 + view.getUint32(12)
  if (captureUs > Number.MAX_SAFE_INTEGER) return new FrameError('time out of range')
  return { level: view.getUint8(1), flags: view.getUint16(2), seq: view.getUint32(4), captureUs }
}

/** The picture of a message that `decodeFrame` took: a view, not a copy. */
export function jpegOf(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(FRAME_HEADER_BYTES)
}

function isUint(value: number, max: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= max
}
