import { closeSync, constants, fdatasyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { crc32 } from 'node:zlib'
import { syncDirectory } from './journal/segments.ts'

/**
 * A value that is replaced again and again and must be there after a crash, also on a disk that is full: two files take turns, each
 * written over in place, so that no room is needed but where the value has outgrown what was taken for it. What was written before
 * stays until the next write has succeeded.
 */
export type TwinFile = {
  /** The newest value that is sound. `missing`: none was ever written. `damaged`: neither file is sound. */
  read(): Buffer | 'missing' | 'damaged'
  /** Writes a value, flushed when this returns. Throws the error of the disk. */
  write(value: Uint8Array): void
}

/** Serial number (8 bytes, the higher is the newer), length of the value (4), CRC-32 over both and the value (4). */
const HEAD_BYTES = 16
const CRC_AT = 12

type Copy = { serial: number; value: Buffer }

/**
 * `path` and a number at its end are the names of the two files, whose size is a multiple of `step` bytes. Throws the error of the
 * disk, but for files that are not there.
 */
export function openTwinFile(path: string, step: number): TwinFile {
  const paths = [`${path}.0`, `${path}.1`]
  let { newest, serial } = newestOf(paths.map(readCopy))

  function read(): Buffer | 'missing' | 'damaged' {
    const copies = paths.map(readCopy)
    const copy = copies[newestOf(copies).newest]
    if (typeof copy === 'object') return copy.value
    return copies.every((each) => each === 'missing') ? 'missing' : 'damaged'
  }

  function write(value: Uint8Array): void {
    const isFirst = newest < 0
    writeOne(value)
    // The other one takes its room now, and not when there is none.
    if (isFirst) writeOne(value)
  }

  function writeOne(value: Uint8Array): void {
    const into = newest === 0 ? 1 : 0
    const bytes = Buffer.alloc(Math.ceil((HEAD_BYTES + value.length) / step) * step)
    bytes.writeBigUInt64BE(BigInt(serial + 1))
    bytes.writeUInt32BE(value.length, 8)
    bytes.set(value, HEAD_BYTES)
    bytes.writeUInt32BE(checksumOf(bytes.subarray(0, HEAD_BYTES + value.length)), CRC_AT)
    writeInPlace(paths[into]!, bytes)
    newest = into
    serial++
  }

  return { read, write }
}

function newestOf(copies: readonly (Copy | 'missing' | 'damaged')[]): { newest: number; serial: number } {
  let newest = -1
  let serial = 0
  for (const [i, copy] of copies.entries()) {
    if (typeof copy !== 'object' || copy.serial <= serial) continue
    newest = i
    serial = copy.serial
  }
  return { newest, serial }
}

function readCopy(path: string): Copy | 'missing' | 'damaged' {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'missing'
    throw error
  }
  if (bytes.length < HEAD_BYTES) return 'damaged'
  // What an earlier, longer value has left behind is not part of it.
  const whole = bytes.subarray(0, HEAD_BYTES + bytes.readUInt32BE(8))
  if (whole.length < HEAD_BYTES + bytes.readUInt32BE(8)) return 'damaged'
  if (checksumOf(whole) !== bytes.readUInt32BE(CRC_AT)) return 'damaged'
  return { serial: Number(bytes.readBigUInt64BE()), value: whole.subarray(HEAD_BYTES) }
}

function checksumOf(bytes: Buffer): number {
  return crc32(bytes.subarray(HEAD_BYTES), crc32(bytes.subarray(0, CRC_AT)))
}

function writeInPlace(path: string, bytes: Buffer): void {
  const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT, 0o600)
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, at)
    fdatasyncSync(fd)
  } finally {
    closeSync(fd)
  }
  syncDirectory(dirname(path))
}
