import {
  Block,
  ENTRIES_MAX,
  type Entry,
  headOf,
  pack,
  partOf,
  recordOf,
  type Span,
  thingHash,
  ulid,
} from './batch.ts'
import type { JournalReader } from './journal/reader.ts'

/** `invalid`: SQS will never take this body as it is. `later`: it may. */
export type Refusal = { index: number; cause: 'invalid' | 'later'; message: string }

/**
 * Sends up to ten bodies to the queue. Resolves with those that SQS did not take; rejects if the call failed. The bodies' memory is
 * used again after that.
 */
export type SendBatch = (bodies: Buffer[]) => Promise<Refusal[]>

export type ForwarderSettings = {
  gateway: string
  reader: JournalReader
  /** Position up to which the journal may be read. */
  committed: () => number
  send: SendBatch
  /** SQS has taken everything below `position`. Called in rising order. */
  onSent: (position: number) => void
  onFailure: (error: Error) => void
  onDamage: (lines: number) => void
  /** SQS will never take this report: it must be kept somewhere else for a person to look at. */
  onInvalid: (json: Buffer, message: string) => void
  onBatch: (records: number, bytes: number) => void
  /** Longest time that a report waits for company, milliseconds. */
  lingerMs: number
  /** Milliseconds of a clock that does not jump. */
  now: () => number
  /** Milliseconds since 1970. */
  epoch: () => number
  random: (bytes: number) => Uint8Array
}

export type Forwarder = {
  /** When the oldest report that SQS has not taken was read, milliseconds since 1970, or undefined if there is none. */
  oldestUnsent(): number | undefined
  /** Stops reading once everything committed is sent or `deadline` (by `now`) is past. */
  stop(deadline: number): Promise<void>
}

/** Calls in flight. A device always uses the same lane, and a lane makes one call at a time: so its order is kept. */
const LANES = 2
const CHUNK_BYTES = 256 * 1024
/** Read ahead of SQS no further than this; the rest waits in the journal, not in memory. */
const AHEAD_BYTES = 8 * 1024 * 1024
/** A lane sends without waiting for the linger once it has this much: a full call. */
const FULL_BYTES = 500_000
const BACKOFF_FIRST_MS = 100
const BACKOFF_MAX_MS = 5_000

type Lane = {
  /** What waits, and memory for what is left over of it when a call is packed. */
  waiting: Block
  spare: Block
  /** Holds the bodies of the call that is under way. */
  memory: Buffer
  busy: boolean
}

/**
 * Carries the journal to SQS: reads what is committed, packs it, sends it, moves the checkpoint.
 * It knows no difference between reports of this run and those left by an earlier one.
 */
export function startForwarder(settings: ForwarderSettings): Forwarder {
  const { reader, committed, now, lingerMs } = settings
  const lanes: Lane[] = Array.from({ length: LANES }, () => ({
    waiting: new Block(),
    spare: new Block(),
    memory: Buffer.alloc(0),
    busy: false,
  }))
  const spans: Span[] = []
  let ahead = 0
  let stopAt = Number.POSITIVE_INFINITY
  let stopping = false
  const idle = new Set<() => void>()
  const backingOff = new Set<() => void>()
  const running = run()

  async function run(): Promise<void> {
    while (now() < stopAt) {
      const began = now()
      try {
        await readAll()
      } catch (error) {
        settings.onFailure(asError(error))
      }
      for (const lane of lanes) kick(lane)
      if (stopping && reader.position() >= committed() && spans.length === 0) break
      await pause(Math.max(1, (stopping ? 10 : lingerMs) - (now() - began)), idle)
    }
    await reader.close()
  }

  async function readAll(): Promise<void> {
    while (reader.position() < committed() && ahead < AHEAD_BYTES) {
      const before = reader.position()
      const piece = await reader.read(committed(), CHUNK_BYTES)
      if (piece.damaged > 0) settings.onDamage(piece.damaged)
      if (piece.next === before) return
      const span: Span = {
        end: piece.next,
        open: piece.lines.length,
        bytes: piece.next - before,
        readAt: settings.epoch(),
      }
      spans.push(span)
      ahead += span.bytes
      for (const json of piece.lines) {
        const hash = thingHash(json)
        const lane = lanes[hash % LANES]!
        lane.waiting.append(json, Math.floor(hash / LANES), span)
        if (lane.waiting.length >= FULL_BYTES) kick(lane)
      }
      if (span.open === 0) settle()
    }
  }

  function settle(): void {
    let sent: number | undefined
    while (spans[0]?.open === 0) {
      const span = spans.shift()!
      ahead -= span.bytes
      sent = span.end
    }
    if (sent === undefined) return
    settings.onSent(sent)
    if (ahead < AHEAD_BYTES / 2 && reader.position() < committed()) wake(idle)
  }

  function kick(lane: Lane): void {
    if (lane.busy || lane.waiting.count === 0) return
    lane.busy = true
    drain(lane).catch((error: unknown) => settings.onFailure(asError(error)))
  }

  async function drain(lane: Lane): Promise<void> {
    while (lane.waiting.count > 0 && now() < stopAt) {
      await deliver(take(lane))
      // A part of a call waits for the next linger, so that quiet times make few messages.
      if (lane.waiting.length < FULL_BYTES) break
    }
    lane.busy = false
  }

  /** One call's worth of entries from the front of a lane. */
  function take(lane: Lane): Entry[] {
    const block = lane.waiting
    const entries = pack(block, {
      rest: lane.spare,
      head,
      memory: (bytes) => {
        if (lane.memory.length < bytes) lane.memory = Buffer.allocUnsafeSlow(bytes)
        return lane.memory
      },
    })
    block.clear()
    lane.waiting = lane.spare
    lane.spare = block
    return entries
  }

  function head(): string {
    return headOf(settings.gateway, ulid(settings.epoch(), settings.random(10)))
  }

  /** Returns when SQS has every entry, or when the forwarder stops. */
  async function deliver(entries: Entry[]): Promise<void> {
    let left = entries
    for (let attempt = 0; left.length > 0 && now() < stopAt; attempt++) {
      const calls = left.slice(0, ENTRIES_MAX)
      const refusals = await trySend(calls)
      const refused = new Map(refusals.map((refusal) => [refusal.index, refusal]))
      const again: Entry[] = []
      for (const [i, entry] of calls.entries()) {
        const refusal = refused.get(i)
        if (!refusal) finish(entry)
        else if (refusal.cause === 'later') again.push(entry)
        else again.push(...isolate(entry, refusal.message))
      }
      left = [...again, ...left.slice(ENTRIES_MAX)]
      if (refusals.some(({ cause }) => cause === 'later')) await pause(backoff(attempt), backingOff)
    }
  }

  async function trySend(entries: Entry[]): Promise<Refusal[]> {
    try {
      return await settings.send(entries.map(({ body }) => body))
    } catch (cause) {
      const error = asError(cause)
      settings.onFailure(error)
      return entries.map((_, index) => ({ index, cause: 'later', message: error.message }))
    }
  }

  function finish({ body, spans: origins }: Entry): void {
    settings.onBatch(origins.length, body.length)
    let isSettled = false
    for (const span of origins) if (--span.open === 0) isSettled = true
    if (isSettled) settle()
  }

  /** Halves an entry that SQS calls invalid, until the one report that is to blame stands alone. */
  function isolate(entry: Entry, message: string): Entry[] {
    const count = entry.spans.length
    if (count > 1) {
      const half = Math.ceil(count / 2)
      return [partOf(entry, [0, half], head()), partOf(entry, [half, count], head())]
    }
    settings.onInvalid(recordOf(entry, 0), message)
    const [span] = entry.spans
    if (span && --span.open === 0) settle()
    return []
  }

  function backoff(attempt: number): number {
    const ceiling = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** attempt)
    // Full jitter in the upper half, so that several gateways do not return in step.
    return ceiling * (0.5 + settings.random(1)[0]! / 512)
  }

  function pause(ms: number, sleepers: Set<() => void>): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer)
        sleepers.delete(end)
        resolve()
      }
      const timer = setTimeout(end, ms)
      sleepers.add(end)
    })
  }

  function wake(sleepers: Set<() => void>): void {
    for (const end of sleepers) end()
  }

  async function stop(deadline: number): Promise<void> {
    stopping = true
    stopAt = deadline
    wake(idle)
    wake(backingOff)
    await running
  }

  return { oldestUnsent: () => spans[0]?.readAt, stop }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
