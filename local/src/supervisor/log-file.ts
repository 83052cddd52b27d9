import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs'

/** Size at which a log file is put aside as `<file>.1`, whose previous content goes: at most twice this is kept. Bytes. */
const LOG_FILE_MAX = 5_000_000

export type LogFile = {
  readonly path: string
  /** Appends one line. What the disk does not take is lost, silently: a full disk must not stop the stack. */
  write(line: string): void
  close(): void
}

/** Opens a log file of bounded size for appending. */
export function openLogFile(path: string, maxBytes = LOG_FILE_MAX): LogFile {
  let fd = openSync(path, 'a')
  let size = fstatSync(fd).size
  let closed = false

  function rotate(): void {
    closeSync(fd)
    renameSync(path, `${path}.1`)
    fd = openSync(path, 'a')
    size = 0
  }

  return {
    path,
    write(line) {
      if (closed) return
      const bytes = Buffer.from(`${line}\n`)
      try {
        if (size > 0 && size + bytes.length > maxBytes) rotate()
        size += writeSync(fd, bytes)
      } catch {
        // See the docstring. The process itself goes on, and its warnings still reach the terminal.
      }
    },
    close() {
      if (!closed) closeSync(fd)
      closed = true
    },
  }
}
