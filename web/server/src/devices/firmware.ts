import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RegisteredKind } from '@pesebre/contract/api/device'

/** Firmware that browsers can flash, as ESP Web Tools wants it: `<dir>/<kind>/manifest.json` and the files that it names. */
export type Firmware = {
  /** Undefined: there is none of this kind. */
  find(kind: RegisteredKind): Promise<{ version: string; manifest: string } | undefined>
  /** The manifest, or a file that it names: nothing else of the directory. */
  file(kind: RegisteredKind, name: string): Promise<Uint8Array | undefined>
}

/** An ESP32 has at most so much flash, bytes. */
const FILE_MAX = 16 * 1024 * 1024
const MANIFEST = 'manifest.json'
/** A name in the same directory: no way out of it. */
const NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}$/

/** https://esphome.github.io/esp-web-tools/ (manifest). */
type Manifest = {
  readonly version?: unknown
  readonly builds?: readonly { readonly parts?: readonly { readonly path?: unknown }[] }[]
}

/** @param dir undefined: there is no firmware at all */
export function openFirmware(dir: string | undefined): Firmware {
  async function manifestOf(kind: RegisteredKind): Promise<Manifest | undefined> {
    if (dir === undefined) return undefined
    try {
      return JSON.parse(await readFile(join(dir, kind, MANIFEST), 'utf8')) as Manifest
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw new Error(`Cannot read the manifest of the firmware: ${kind}: ${(error as Error).message}`, {
        cause: error,
      })
    }
  }

  return {
    async find(kind) {
      const manifest = await manifestOf(kind)
      if (manifest === undefined) return undefined
      return { version: String(manifest.version ?? ''), manifest: `/api/firmware/${kind}/${MANIFEST}` }
    },
    async file(kind, name) {
      const manifest = await manifestOf(kind)
      if (manifest === undefined || dir === undefined || !NAME.test(name)) return undefined
      const named = (manifest.builds ?? []).flatMap(({ parts = [] }) => parts.map(({ path }) => path))
      if (name !== MANIFEST && !named.includes(name)) return undefined
      const file = await open(join(dir, kind, name), 'r')
      try {
        const { size } = await file.stat()
        return size > FILE_MAX ? undefined : new Uint8Array(await file.readFile())
      } finally {
        await file.close()
      }
    },
  }
}
