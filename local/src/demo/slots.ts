/** The flash of a virtual feeder: two slots for its firmware, and the boot loader that chooses between them. */
import { createHash } from 'node:crypto'
import { closeSync, existsSync, openSync, readFileSync, readSync, writeSync } from 'node:fs'
import type { ImageChoice, ImagePorts } from './core.ts'
import { createDownload } from './download.ts'
import { VERSION_SECTION } from './image.ts'
import { writeSafely } from './store.ts'

export type Slots = {
  readonly ports: ImagePorts
  /** What a reset does: the firmware that runs now. One on trial that was not kept before the reset is not it. */
  boot(): { firmware: WebAssembly.Module; version: number }
  /** Whether what runs is on trial: should it crash, a reset brings the one before. */
  isOnTrial(): boolean
}

/** `chosen`: it has not run yet; `runs`: it has, and was not kept. */
type State = { active: 0 | 1; trial?: 'chosen' | 'runs' }

/** Version of the firmware that is committed: it has no section that says one. */
const BUILT_IN_VERSION = 1

/**
 * @param path of the files: `<path>.slot0`, `.slot1`, and `.boot`. A slot without a file holds the built-in firmware.
 * @param onRestart after `try` and `revert`: the feeder has to be switched on anew
 */
export function openSlots(path: string, builtIn: WebAssembly.Module, onRestart: () => void): Slots {
  const state: State = existsSync(`${path}.boot`)
    ? (JSON.parse(readFileSync(`${path}.boot`, 'utf8')) as State)
    : { active: 0 }
  const fileOf = (slot: number) => `${path}.slot${slot}`
  const other = () => (state.active === 0 ? 1 : 0)
  const download = createDownload()

  function become(next: State): void {
    writeSafely(`${path}.boot`, `${JSON.stringify(next)}\n`)
    state.active = next.active
    if (next.trial === undefined) delete state.trial
    else state.trial = next.trial
  }

  function boot(): { firmware: WebAssembly.Module; version: number } {
    if (state.trial === 'runs') become({ active: other() })
    if (state.trial === 'chosen') become({ active: state.active, trial: 'runs' })
    const file = fileOf(state.active)
    if (!existsSync(file)) return { firmware: builtIn, version: BUILT_IN_VERSION }
    try {
      const firmware = new WebAssembly.Module(readFileSync(file))
      return { firmware, version: versionOf(firmware) }
    } catch {
      // What does not even load: the one before, which is what a boot loader does as well.
      if (state.trial !== undefined) return boot()
      return { firmware: builtIn, version: BUILT_IN_VERSION }
    }
  }

  function choose(choice: ImageChoice): void {
    if (choice === 'keep') {
      if (state.trial !== undefined) become({ active: state.active })
      return
    }
    become({ active: other(), ...(choice === 'try' && { trial: 'chosen' }) })
    onRestart()
  }

  return {
    boot,
    isOnTrial: () => state.trial !== undefined,
    ports: {
      ...download,
      write(offset, data) {
        const file = openSync(fileOf(other()), offset === 0 ? 'w' : 'r+', 0o600)
        try {
          writeSync(file, data, 0, data.length, offset)
        } finally {
          closeSync(file)
        }
      },
      digest(size) {
        const image = Buffer.alloc(size)
        const file = openSync(fileOf(other()), 'r')
        try {
          readSync(file, image, 0, size, 0)
        } finally {
          closeSync(file)
        }
        return createHash('sha256').update(image).digest()
      },
      choose,
    },
  }
}

function versionOf(firmware: WebAssembly.Module): number {
  const [section] = WebAssembly.Module.customSections(firmware, VERSION_SECTION)
  return section === undefined ? BUILT_IN_VERSION : Number(Buffer.from(section).toString())
}
