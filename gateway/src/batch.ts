import { BATCH_BODY_MAX } from '@pesebre/contract/limits'

/** Most entries in one SendMessageBatch call (Amazon SQS API Reference). */
export const ENTRIES_MAX = 10

/** A piece of the journal of which SQS has not yet taken every report. */
export type Span = { end: number; open: number; bytes: number; readAt: number }

/** One SQS message to be (contract/src/report.ts, Batch). */
export type Entry = {
  body: Buffer
  /** Where each record begins in `body`, and one past the comma behind the last. */
  starts: number[]
  /** Where each record came from. */
  spans: Span[]
}

/**
 * Reports on their way to SQS, oldest first, back to back in memory that is used again. Tens of thousands wait at a time: as
 * objects of their own they would outlive the young generation, and cost more than everything else that is done with them.
 */
export class Block {
  bytes = Buffer.alloc(0)
  length = 0
  readonly ends: number[] = []
  readonly hashes: number[] = []
  readonly spans: Span[] = []

  /** Copies `json`, one element of a batch's `records`. `hash` is that of its device. */
  append(json: Buffer, hash: number, span: Span): void {
    const end = this.length + json.length
    if (end > this.bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.bytes.length, end, BATCH_BODY_MAX))
      this.bytes.copy(larger, 0, 0, this.length)
      this.bytes = larger
    }
    json.copy(this.bytes, this.length)
    this.length = end
    this.ends.push(end)
    this.hashes.push(hash)
    this.spans.push(span)
  }

  get count(): number {
    return this.ends.length
  }

  record(i: number): Buffer {
    return this.bytes.subarray(i === 0 ? 0 : this.ends[i - 1], this.ends[i])
  }

  clear(): void {
    this.length = 0
    this.ends.length = 0
    this.hashes.length = 0
    this.spans.length = 0
  }
}

export type PackOptions = {
  /** Takes what does not fit into the call, in order. Must be empty. */
  rest: Block
  /** What a body begins with: see `headOf`. */
  head: () => string
  /** Memory for all bodies: they are views into it. */
  memory: (bytes: number) => Buffer
  maxBytes?: number
}

const TAIL = ']}'
const COMMA = 0x2c
/** In the place of an entry: it does not fit. */
const REST = -1

/**
 * Takes from the front of `block` what one SendMessageBatch call carries.
 *
 * A device's reports all go into one entry of a call. So an entry that SQS refuses can be sent again
 * without any other entry of that call overtaking it, and a device's order stays what it was.
 */
export function pack(block: Block, { rest, head, memory, maxBytes = BATCH_BODY_MAX }: PackOptions): Entry[] {
  const total = block.length + block.count
  // Three quarters full on average, since devices fall unevenly on the entries.
  const count = total <= maxBytes ? 1 : Math.min(ENTRIES_MAX, Math.ceil(total / (maxBytes * 0.75)))
  const sizes: number[] = new Array(count).fill(0)
  const closed: boolean[] = new Array(count).fill(false)
  const places: number[] = []
  for (let i = 0, start = 0; i < block.count; i++) {
    const end = block.ends[i]!
    const bytes = end - start + 1
    const place = block.hashes[i]! % count
    start = end
    // Once one report had to stay behind, all later ones of the same devices stay behind it.
    if (closed[place] || (sizes[place]! + bytes > maxBytes && sizes[place]! > 0)) {
      closed[place] = true
      places.push(REST)
      continue
    }
    sizes[place]! += bytes
    places.push(place)
  }
  return write(block, { rest, head, memory, sizes, places })
}

type Plan = Omit<PackOptions, 'maxBytes'> & { sizes: number[]; places: number[] }

function write(block: Block, { rest, head, memory, sizes, places }: Plan): Entry[] {
  const heads = sizes.map((size) => (size > 0 ? head() : ''))
  const into = memory(sizes.reduce((sum, size, i) => sum + size + heads[i]!.length + TAIL.length, 0))
  let at = 0
  const begins = sizes.map((size, i) => {
    const begin = at
    at += size + heads[i]!.length + TAIL.length
    return begin
  })
  const entries = begins.map((begin, i): Entry => {
    const body = into.subarray(begin, begins[i + 1] ?? at)
    return { body, starts: [body.write(heads[i]!)], spans: [] }
  })
  for (const [i, place] of places.entries()) {
    if (place === REST) {
      rest.append(block.record(i), block.hashes[i]!, block.spans[i]!)
      continue
    }
    const { body, starts, spans } = entries[place]!
    const start = starts.at(-1)!
    const end = start + block.bytes.copy(body, start, i === 0 ? 0 : block.ends[i - 1], block.ends[i])
    body[end] = COMMA
    starts.push(end + 1)
    spans.push(block.spans[i]!)
  }
  const filled = entries.filter(({ spans }) => spans.length > 0)
  // The last comma gives its place to the end, so that there is one byte too many.
  for (const entry of filled) {
    const end = entry.starts.at(-1)! - 1
    entry.body = entry.body.subarray(0, end + entry.body.write(TAIL, end))
  }
  return filled
}

/** What the body of an SQS message begins with, up to its records. */
export function headOf(gateway: string, id: string): string {
  return `{"v":1,"gateway":"${gateway}","batch":"${id}","records":[`
}

/** A part of an entry, from record `from` up to but not including `to`, as an entry of its own. */
export function partOf({ body, starts, spans }: Entry, [from, to]: [number, number], head: string): Entry {
  const records = body.subarray(starts[from], starts[to]! - 1)
  const shift = head.length - starts[from]!
  return {
    body: Buffer.concat([Buffer.from(head), records, Buffer.from(TAIL)]),
    starts: starts.slice(from, to + 1).map((start) => start + shift),
    spans: spans.slice(from, to),
  }
}

/** The JSON of one record of an entry. */
export function recordOf({ body, starts }: Entry, i: number): Buffer {
  return body.subarray(starts[i], starts[i + 1]! - 1)
}

const THING_OFFSET = '{"thing":"'.length

/** Spreads devices over lanes and entries: a hash (FNV-1a) of the thing name, which every report begins with. */
export function thingHash(json: Buffer): number {
  let hash = 0x811c9dc5
  for (let i = THING_OFFSET; i < json.length; i++) {
    const byte = json[i]!
    if (byte === 0x22) break
    hash = Math.imul(hash ^ byte, 0x01000193)
  }
  return hash >>> 0
}

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** A ULID: 48 bits of `at` (milliseconds since 1970), 80 bits of `random` (10 bytes). */
export function ulid(at: number, random: Uint8Array): string {
  let text = ''
  for (let i = 0, rest = at; i < 10; i++, rest = Math.floor(rest / 32)) text = CROCKFORD[rest % 32] + text
  let bits = 0
  let value = 0
  for (const byte of random) {
    value = ((value << 8) | byte) & 0xfff
    bits += 8
    for (; bits >= 5; bits -= 5) text += CROCKFORD[(value >> (bits - 5)) & 31]
  }
  return text
}
