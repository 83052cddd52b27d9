import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

/** Bytes of `struct outcome`, `struct feed_record` and `struct step` (firmware/core/feed.h, driver.c). */
export const OUTCOME = 12
export const RECORD = 92 + OUTCOME * (8 + 48) + 4
export const STEP = 8 + OUTCOME * 8 + RECORD

const CORE = new URL('../../../firmware/core/', import.meta.url).pathname

/**
 * Compiles driver.c with the core into a folder.
 * @returns what runs lines through it, and gives STEP bytes for each
 */
export function buildDriver(folder: string): (lines: readonly string[]) => Buffer {
  const driver = join(folder, 'driver')
  const sources = ['feed.c', 'schedule.c', 'motor.c'].map((name) => join(CORE, name))
  const own = new URL('driver.c', import.meta.url).pathname
  execFileSync('gcc', ['-std=c11', '-O1', '-Wall', '-Werror', own, ...sources, '-o', driver])
  return (lines) => {
    const input = lines.map((line) => `${line}\n`).join('')
    const output = execFileSync(driver, { input, maxBuffer: 2 ** 30, timeout: 60_000 })
    if (output.length !== lines.length * STEP) throw new Error(`Run the driver: ${output.length} bytes`)
    return output
  }
}
