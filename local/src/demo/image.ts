/** Images of another firmware for the demo feeders: the committed one that says another version, to try an update with. */
import { readFileSync } from 'node:fs'

/** Custom section that holds the version as text (WebAssembly core specification, section 5.5.3). */
export const VERSION_SECTION = 'pesebre.version'
const CUSTOM_SECTION = 0

/** The firmware beside this file, as an image of this version. */
export function imageOf(version: number): Uint8Array {
  const name = Buffer.from(VERSION_SECTION)
  const content = Buffer.concat([unsigned(name.length), name, Buffer.from(String(version))])
  const firmware = readFileSync(new URL('feeder.wasm', import.meta.url))
  return Buffer.concat([firmware, Buffer.of(CUSTOM_SECTION), unsigned(content.length), content])
}

/** LEB128 of a number below 2^14. */
function unsigned(value: number): Buffer {
  return value < 0x80 ? Buffer.of(value) : Buffer.of((value & 0x7f) | 0x80, value >> 7)
}
