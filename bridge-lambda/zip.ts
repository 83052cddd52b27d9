import { crc32, deflateRawSync } from 'node:zlib'

/** A file of an archive. */
export type ZipEntry = { readonly name: string; readonly content: Uint8Array }

/**
 * A ZIP archive (APPNOTE.TXT 6.3). The same entries always give the same bytes: no times, no machine's attributes,
 * so that Terraform sees a change only where there is one. File names in ASCII; contents under 4 GiB.
 */
export function zip(entries: readonly ZipEntry[]): Buffer {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const { name, content } of entries) {
    const data = deflateRawSync(content, { level: 9 })
    const head = Buffer.alloc(26)
    head.writeUInt16LE(20, 0) // version needed: 2.0, deflate
    head.writeUInt16LE(8, 4) // method: deflate
    head.writeUInt16LE(0, 6) // 00:00:00
    head.writeUInt16LE(0x0021, 8) // 1 January 1980, the first day that the format knows
    head.writeUInt32LE(crc32(content), 10)
    head.writeUInt32LE(data.length, 14)
    head.writeUInt32LE(content.length, 18)
    head.writeUInt16LE(name.length, 22)
    const local = Buffer.concat([
      Buffer.from('PK\x03\x04', 'latin1'),
      head,
      Buffer.from(name, 'latin1'),
      data,
    ])

    const made = Buffer.from([20, 3]) // by version 2.0 on Unix
    const tail = Buffer.alloc(14)
    // Lambda runs the code as another user than the one who packed it: a regular file that all may read.
    tail.writeUInt32LE((0o100644 << 16) >>> 0, 6)
    tail.writeUInt32LE(offset, 10)
    directory.push(Buffer.from('PK\x01\x02', 'latin1'), made, head, tail, Buffer.from(name, 'latin1'))
    parts.push(local)
    offset += local.length
  }
  const central = Buffer.concat(directory)
  const end = Buffer.alloc(18)
  end.writeUInt16LE(entries.length, 4)
  end.writeUInt16LE(entries.length, 6)
  end.writeUInt32LE(central.length, 8)
  end.writeUInt32LE(offset, 12)
  return Buffer.concat([...parts, central, Buffer.from('PK\x05\x06', 'latin1'), end])
}
