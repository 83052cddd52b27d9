import { uintBytes } from './uint.ts'

/** The value of a Block1 or Block2 option (RFC 7959 section 2.2). */
export interface Block {
  /** Number of the block, 0 to 1048575. */
  readonly num: number
  /** Whether more blocks follow. */
  readonly more: boolean
  /** Size exponent, 0 to 6: the block has `2 ** (szx + 4)` bytes. 7 is reserved over UDP. */
  readonly szx: number
}

export const BLOCK_NUM_MAX = 0xf_ffff
export const SZX_MAX = 6
/** 7 is reserved over UDP; a message with it is in error (section 2.2). */
export const SZX_RESERVED = 7

/** The block that an option value stands for. `value` is the number that the option's bytes make. */
export function blockOf(value: number): Block {
  return { num: value >>> 4, more: (value & 8) !== 0, szx: value & 7 }
}

/** The option's bytes. Throws RangeError for what the option cannot hold. */
export function blockBytes(block: Block): Uint8Array {
  const { num, more, szx } = block
  if (!Number.isInteger(num) || num < 0 || num > BLOCK_NUM_MAX) {
    throw new RangeError(`Failed to encode a block of number: ${num}`)
  }
  if (!Number.isInteger(szx) || szx < 0 || szx > SZX_MAX) {
    throw new RangeError(`Failed to encode a block of size exponent: ${szx}`)
  }
  return uintBytes(num * 16 + (more ? 8 : 0) + szx)
}

/** Bytes in a block of this exponent: 16 to 1024. */
export function blockSize(szx: number): number {
  return 1 << (szx + 4)
}

/** The largest exponent whose block fits `size` bytes. Throws RangeError below 16, for which there is none. */
export function szxFor(size: number): number {
  if (!(size >= 16)) throw new RangeError(`Failed to choose a block size: ${size}`)
  return Math.min(SZX_MAX, Math.floor(Math.log2(size)) - 4)
}
