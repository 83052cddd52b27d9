import { decodeFrame, FrameError, type FrameHeader, jpegOf } from '@pesebre/contract/frame'

export type PicturesOptions<Bitmap> = {
  /** Rejects when the bytes are no picture. */
  readonly decode: (jpeg: Uint8Array) => Promise<Bitmap>
  /** Shows it. `clock` is the one that was known when the picture came. */
  readonly show: (
    bitmap: Bitmap,
    picture: { header: FrameHeader; bytes: number; clock: number | undefined },
  ) => void
  readonly acknowledge: (seq: number) => void
  /** What to add to a capture time to get the relay's; undefined before the relay has said it. */
  readonly clock: () => number | undefined
  /** Whether its connection is still the one that counts. */
  readonly isCurrent: () => boolean
}

/** Takes the pictures of one connection: decodes one at a time, and of those that come meanwhile only the newest. */
export function createPictures<Bitmap>(options: PicturesOptions<Bitmap>): (bytes: Uint8Array) => void {
  const { decode, show, acknowledge, clock, isCurrent } = options
  let next: Uint8Array | undefined
  let isBusy = false

  async function work(): Promise<void> {
    if (isBusy) return
    isBusy = true
    for (let bytes = next; bytes !== undefined; bytes = next) {
      next = undefined
      await take(bytes)
    }
    isBusy = false
  }

  async function take(bytes: Uint8Array): Promise<void> {
    const header = decodeFrame(bytes)
    if (header instanceof FrameError) return
    // The clock belongs to the pictures that follow it: read before another one can come.
    const known = clock()
    try {
      const bitmap = await decode(jpegOf(bytes))
      if (!isCurrent()) return
      show(bitmap, { header, bytes: bytes.length, clock: known })
    } catch {
      // A picture that is broken is acknowledged as well: the next one may be whole.
    }
    if (isCurrent()) acknowledge(header.seq)
  }

  return (bytes) => {
    next = bytes
    void work()
  }
}
