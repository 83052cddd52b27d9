/** Fetches an image over HTTP for a feeder that asks now and then what has come: its firmware never waits. */

export type Download = {
  /** Begins at a byte; what was being fetched is given up. Undefined: only that. */
  fetch(url: string | undefined, offset: number): void
  /** At most `size` bytes, none yet, or undefined: no more will come. */
  fetched(size: number): Uint8Array | undefined
}

/** As much as a feeder's network would hold back. */
const WAITING_MAX = 65_536
const NOTHING = new Uint8Array(0)

/** One download at a time. */
export function createDownload(): Download {
  let current: Transfer | undefined
  return {
    fetch(url, offset) {
      current?.abort()
      current = url === undefined ? undefined : begin(url, offset)
    },
    fetched: (size) => current?.take(size),
  }
}

type Transfer = { take(size: number): Uint8Array | undefined; abort(): void }

function begin(url: string, offset: number): Transfer {
  const waiting: Uint8Array[] = []
  const controller = new AbortController()
  let bytes = 0
  let isOver = false
  let hasRoom: () => void = () => undefined

  async function run(): Promise<void> {
    const headers = offset > 0 ? { range: `bytes=${offset}-` } : {}
    const { status, body } = await fetch(url, { headers, signal: controller.signal })
    if (body === null || (status !== 200 && status !== 206)) return
    // A host that knows no ranges sends all of it.
    let ahead = status === 200 ? offset : 0
    for await (const chunk of body) {
      const wanted = chunk.subarray(Math.min(ahead, chunk.length))
      ahead -= chunk.length - wanted.length
      if (wanted.length === 0) continue
      waiting.push(wanted)
      bytes += wanted.length
      while (bytes > WAITING_MAX) await new Promise<void>((resolve) => (hasRoom = resolve))
    }
  }
  run()
    // What went wrong makes no difference to a feeder: it asks again, for what is missing.
    .catch(() => undefined)
    .finally(() => {
      isOver = true
    })

  return {
    take(size) {
      const [first] = waiting
      if (first === undefined) return isOver ? undefined : NOTHING
      const part = first.subarray(0, size)
      if (part.length === first.length) waiting.shift()
      else waiting[0] = first.subarray(part.length)
      bytes -= part.length
      hasRoom()
      return part
    },
    abort() {
      controller.abort()
      waiting.length = bytes = 0
      hasRoom()
    },
  }
}
