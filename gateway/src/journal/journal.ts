import {
  close,
  closeSync,
  constants,
  fdatasyncSync,
  fsync,
  ftruncate,
  open,
  openSync,
  unlinkSync,
  write,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { LINE_OVERHEAD, writeLine } from './line.ts'
import { type Recovered, recover } from './recovery.ts'
import { segmentPath, syncDirectory } from './segments.ts'
import { createSpare } from './spare.ts'

export type JournalSettings = {
  dir: string
  /** A new segment begins after this many bytes. */
  segmentBytes: number
  /** Most bytes that may wait for SQS. Beyond it `append` refuses. */
  maxBytes: number
  /** Position below which SQS has taken everything. */
  sent: () => number
  /** After each commit: the position below which all is on disk, and how many lines that commit held. */
  onCommit?: (committed: number, lines: number) => void
  /** When the disk began to fail, with the reason, and, with undefined, when it writes again. */
  onStateChange?: (failure: Error | undefined) => void
  /** Stands in for the disk in tests of its failures. */
  disk?: Disk
}

/** Writes all of `length` bytes of `bytes` at `position` of the file and flushes them to the device. */
export type Disk = (fd: number, bytes: Buffer, length: number, position: number) => Promise<void>

/** The journal cannot take a report now. `full`: SQS has been away for too long. `failed`: the disk does not write. */
export class JournalUnavailable extends Error {
  readonly reason: 'full' | 'failed' | 'closed'
  constructor(reason: 'full' | 'failed' | 'closed', cause?: unknown) {
    super(`Cannot append to the journal: ${reason}`, { cause })
    this.reason = reason
  }
}

export type Journal = {
  readonly recovered: Recovered
  /**
   * Takes one line of JSON, which is copied. Resolves when it is on disk, flushed; everything appended meanwhile shares one flush.
   * Rejects with JournalUnavailable: then the line was not promised to anyone, though a restart may still find it.
   */
  append(json: Uint8Array): Promise<void>
  /** Everything below this position is on disk, flushed. */
  committed(): number
  /** Bytes that wait for SQS, those not yet flushed included. */
  backlog(): number
  /** The last failure of the disk, until `heal` succeeded. */
  failure(): Error | undefined
  /** Tries to write to the disk again after a failure. */
  heal(): Promise<boolean>
  /** Flushes what was appended, then closes. */
  close(): Promise<void>
}

const GATHER_START = 256 * 1024
const GATHER_MAX = 16 * 1024 * 1024

/**
 * Pause between commits that follow one another. Each costs some 150 microseconds of processor time, whatever it holds: without a
 * pause, half of a core would go into them at 20,000 reports a second, and every answer would wait longer.
 */
const BETWEEN_MS = 1

type Commit = { promise: Promise<void>; resolve: () => void; reject: (error: unknown) => void }

/**
 * Opens the journal in `settings.dir`, mending what a crash left.
 *
 * Group commit: a line that finds the journal idle is written at once. While one write runs (O_DSYNC: a write and an fdatasync in
 * one), new lines gather in the other buffer, and are written a moment after it returns. So a quiet gateway flushes in a fraction of a
 * millisecond and a busy one flushes thousands of lines together.
 */
export function openJournal(settings: JournalSettings): Journal {
  const { dir, segmentBytes, maxBytes, sent } = settings
  const disk = settings.disk ?? writeThrough
  const recovered = recover(dir)

  let base = recovered.end
  let committed = recovered.end
  const spare = createSpare(dir, segmentBytes)
  let fd = openFirst()
  spare.prepare()
  let gather = Buffer.allocUnsafeSlow(GATHER_START)
  let written = Buffer.allocUnsafeSlow(GATHER_START)
  let gathered = 0
  let flushing = 0
  let lines = 0
  let next: Commit | undefined
  let running: Promise<void> | undefined
  let failure: Error | undefined
  let closed = false

  function append(json: Uint8Array): Promise<void> {
    if (closed) return Promise.reject(new JournalUnavailable('closed'))
    if (failure) return Promise.reject(new JournalUnavailable('failed', failure))
    if (backlog() + json.length + LINE_OVERHEAD > maxBytes)
      return Promise.reject(new JournalUnavailable('full'))
    let length = writeLine(gather, gathered, json)
    if (length === 0) {
      if (gather.length >= GATHER_MAX) return Promise.reject(new JournalUnavailable('full'))
      const larger = Buffer.allocUnsafeSlow(gather.length * 2 + json.length)
      gather.copy(larger, 0, 0, gathered)
      gather = larger
      length = writeLine(gather, gathered, json)
    }
    gathered += length
    lines++
    next ??= Promise.withResolvers<void>()
    const { promise } = next
    running ??= run()
    return promise
  }

  async function run(): Promise<void> {
    // What has arrived already joins the first commit.
    await new Promise<void>((resolve) => setImmediate(resolve))
    while (next && !failure) {
      const commit = next
      const bytes = gather
      const count = lines
      flushing = gathered
      next = undefined
      gathered = 0
      lines = 0
      gather = written
      written = bytes
      try {
        if (committed - base >= segmentBytes) await rotate()
        await disk(fd, bytes, flushing, committed - base)
        committed += flushing
        flushing = 0
        settings.onCommit?.(committed, count)
        commit.resolve()
      } catch (cause) {
        fail(commit, cause)
      }
      if (next) await new Promise<void>((resolve) => setTimeout(resolve, BETWEEN_MS))
    }
    running = undefined
  }

  function fail(commit: Commit, cause: unknown): void {
    failure = cause instanceof Error ? cause : new Error(String(cause))
    settings.onStateChange?.(failure)
    const error = new JournalUnavailable('failed', cause)
    flushing = 0
    gathered = 0
    lines = 0
    commit.reject(error)
    next?.reject(error)
    next = undefined
  }

  function openFirst(): number {
    const path = segmentPath(dir, base)
    const opened = spare.takeSync(path, SEGMENT_FLAGS) ?? openSync(path, NEW_SEGMENT_FLAGS)
    syncDirectory(dir)
    return opened
  }

  async function rotate(): Promise<void> {
    const path = segmentPath(dir, committed)
    const opened = (await spare.take(path, SEGMENT_FLAGS)) ?? (await openFile(path, NEW_SEGMENT_FLAGS))
    await flushDirectory(dir)
    close(fd, ignore)
    fd = opened
    base = committed
    spare.prepare()
  }

  async function heal(): Promise<boolean> {
    if (!failure || closed) return !failure
    try {
      probe(dir)
      // The old segment may hold the torn rest of the failed commit, and after a failed fdatasync nobody knows which
      // of its pages are on disk (see "fsyncgate"). So what follows goes to a new one.
      if (committed > base) await rotate()
      else {
        const reopened = openFirst()
        close(fd, ignore)
        fd = reopened
      }
      failure = undefined
      settings.onStateChange?.(undefined)
      return true
    } catch (cause) {
      failure = cause instanceof Error ? cause : new Error(String(cause))
      return false
    }
  }

  async function closeJournal(): Promise<void> {
    closed = true
    await running
    await spare.close()
    await cutOff()
    close(fd, ignore)
  }

  /** So that a person who reads the segment does not come to megabytes of zeros. What fails here, recovery does. */
  function cutOff(): Promise<void> {
    return new Promise((resolve) => ftruncate(fd, committed - base, () => resolve()))
  }

  function backlog(): number {
    return committed + flushing + gathered - sent()
  }

  return {
    recovered,
    append,
    committed: () => committed,
    backlog,
    failure: () => failure,
    heal,
    close: closeJournal,
  }
}

const openFile = promisify(open)
const flushFile = promisify(fsync)
/**
 * O_DSYNC: a write returns when its bytes are on the device, as if fdatasync had followed it (open(2)). One trip to the
 * thread pool for each commit instead of two, which is worth a tenth of the rate on a single core.
 */
const SEGMENT_FLAGS = constants.O_WRONLY | constants.O_DSYNC
const NEW_SEGMENT_FLAGS = SEGMENT_FLAGS | constants.O_CREAT | constants.O_TRUNC

async function flushDirectory(dir: string): Promise<void> {
  const directory = await openFile(dir, constants.O_RDONLY)
  try {
    await flushFile(directory)
  } finally {
    close(directory, ignore)
  }
}

function writeThrough(fd: number, bytes: Buffer, length: number, position: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let done = 0
    const step = (): void => {
      write(fd, bytes, done, length - done, position + done, (error, written) => {
        if (error) return reject(error)
        done += written
        // A disk that is nearly full takes a part; the rest then fails with the reason.
        if (done < length) return step()
        resolve()
      })
    }
    step()
  })
}

const PROBE_BYTES = 64 * 1024

/** Proves that the disk takes and flushes bytes again, before any device is told so. */
function probe(dir: string): void {
  const path = join(dir, 'probe')
  const fd = openSync(path, 'w')
  try {
    writeSync(fd, Buffer.alloc(PROBE_BYTES))
    fdatasyncSync(fd)
  } finally {
    closeSync(fd)
    unlinkSync(path)
  }
}

function ignore(): void {}
