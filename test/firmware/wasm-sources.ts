/**
 * SHA-256 of all that the committed WebAssembly of the firmware is made of, by path and content. Prints it when run:
 * `firmware/build-wasm.sh` puts it beside what it builds.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const FIRMWARE = new URL('../../firmware/', import.meta.url).pathname
const FOLDERS = ['core', 'port', 'port/wasm', 'port/wasm/include'] as const

export function wasmSourcesHash(): string {
  const files = FOLDERS.flatMap((folder) =>
    readdirSync(join(FIRMWARE, folder))
      .filter((name) => /\.[ch]$/.test(name))
      .map((name) => `${folder}/${name}`),
  )
  const hash = createHash('sha256')
  for (const file of [...files, 'build-wasm.sh'].toSorted())
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(FIRMWARE, file)))
      .update('\0')
  return hash.digest('hex')
}

if (import.meta.main) console.log(wasmSourcesHash())
