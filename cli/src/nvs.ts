/**
 * Images of an NVS partition (ESP-IDF Programming Guide, "Non-Volatile Storage Library", Internals: format version 2), for what one page
 * holds: blobs in namespaces.
 */
import { crc32 } from 'node:zlib'

/** Blobs by key, by namespace. Names have 1 to 15 characters. */
export type NvsContent = Readonly<Record<string, Readonly<Record<string, Uint8Array>>>>

const PAGE = 4096
const ENTRY = 32
const FIRST_ENTRY = 64
const ENTRIES_MAX = 126
const STATE_ACTIVE = 0xffff_fffe
const VERSION_2 = 0xfe
const TYPE = { u8: 0x01, blobData: 0x42, blobIndex: 0x48 } as const
const NO_CHUNK = 0xff
/** The library begins its CRCs with this. */
const CRC_START = 0xffff_ffff
const NAME_MAX = 15

/**
 * The whole partition: one page that is in use, and empty ones.
 * @param size of the partition: a multiple of 4096, at least three pages
 * @throws RangeError when it does not fit
 */
export function nvsImage(content: NvsContent, size: number): Uint8Array {
  if (size % PAGE !== 0 || size < 3 * PAGE) throw new RangeError(`Make an NVS partition: of ${size} bytes`)
  const image = Buffer.alloc(size, 0xff)
  image.writeUInt32LE(STATE_ACTIVE, 0)
  image.writeUInt32LE(0, 4)
  image[8] = VERSION_2
  image.writeUInt32LE(crc32(image.subarray(4, 28), CRC_START), 28)
  let used = 0

  /** Space for so many entries; each is marked as written in the bitmap: two bits, of which the lower one goes. */
  function take(count: number): Buffer {
    if (used + count > ENTRIES_MAX) throw new RangeError('Make an NVS partition: more than one page')
    for (let entry = used; entry < used + count; entry++)
      image[32 + (entry >> 2)]! &= ~(1 << (2 * (entry & 3)))
    const at = FIRST_ENTRY + used * ENTRY
    used += count
    return image.subarray(at, at + count * ENTRY)
  }

  function add(namespace: number, type: number, key: string, chunk: number, span: number): Buffer {
    if (key.length === 0 || key.length > NAME_MAX) throw new RangeError(`Make an NVS partition: name ${key}`)
    const entry = take(span)
    entry.set([namespace, type, span, chunk])
    entry.fill(0, 8, 24)
    entry.write(key, 8, 'latin1')
    return entry
  }

  /** Last of all: over the entry without the checksum itself. */
  function seal(entry: Buffer): void {
    entry.writeUInt32LE(crc32(Buffer.concat([entry.subarray(0, 4), entry.subarray(8, ENTRY)]), CRC_START), 4)
  }

  for (const [index, [name, blobs]] of Object.entries(content).entries()) {
    const namespace = add(0, TYPE.u8, name, NO_CHUNK, 1)
    namespace[24] = index + 1
    seal(namespace)
    for (const [key, value] of Object.entries(blobs)) {
      const data = add(index + 1, TYPE.blobData, key, 0, 1 + Math.ceil(value.length / ENTRY))
      data.writeUInt16LE(value.length, 24)
      data.writeUInt32LE(crc32(value, CRC_START), 28)
      data.set(value, ENTRY)
      seal(data)
      const blob = add(index + 1, TYPE.blobIndex, key, NO_CHUNK, 1)
      blob.writeUInt32LE(value.length, 24)
      // One chunk, the first.
      blob.set([1, 0], 28)
      seal(blob)
    }
  }
  return image
}

/** The same as the CSV that Espressif's nvs_partition_gen.py takes, which can encrypt. */
export function nvsCsv(content: NvsContent): string {
  const lines = ['key,type,encoding,value']
  for (const [name, blobs] of Object.entries(content)) {
    lines.push(`${name},namespace,,`)
    for (const [key, value] of Object.entries(blobs))
      lines.push(`${key},data,hex2bin,${Buffer.from(value).toString('hex')}`)
  }
  return `${lines.join('\n')}\n`
}
