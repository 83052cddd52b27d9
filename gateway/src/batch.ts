import { BATCH_BODY_MAX } from '@pesebre/contract/limits'

/** Most entries in one SendMessageBatch call (Amazon SQS API Reference). */
export const ENTRIES_MAX = 10

/** Reports on their way to SQS, oldest first: JSON, UTF-8, one element of a batch's `records` each. */
export type Waiting = { json: Buffer; hash: number; done: () => void }

/** One SQS message to be, and what to tell when SQS has it. */
export type Entry = { records: Waiting[]; bytes: number }

/**
 * Takes from the front of `waiting` what one SendMessageBatch call carries, and leaves the rest in order.
 *
 * A device's reports all go into one entry of a call. So an entry that SQS refuses can be sent again
 * without any other entry of that call overtaking it, and a device's order stays what it was.
 */
export function pack(
  waiting: Waiting[],
  maxBytes: number = BATCH_BODY_MAX,
): { entries: Entry[]; rest: Waiting[] } {
  const total = waiting.reduce((sum, { json }) => sum + json.length + 1, 0)
  // Three quarters full on average, since devices fall unevenly on the entries.
  const count = total <= maxBytes ? 1 : Math.min(ENTRIES_MAX, Math.ceil(total / (maxBytes * 0.75)))
  const entries: Entry[] = Array.from({ length: count }, () => ({ records: [], bytes: 0 }))
  const closed = new Set<Entry>()
  const rest: Waiting[] = []
  for (const record of waiting) {
    const entry = entries[record.hash % count]!
    const bytes = record.json.length + 1
    // Once one report had to stay behind, all later ones of the same devices stay behind it.
    if (closed.has(entry) || (entry.bytes + bytes > maxBytes && entry.records.length > 0)) {
      closed.add(entry)
      rest.push(record)
      continue
    }
    entry.records.push(record)
    entry.bytes += bytes
  }
  return { entries: entries.filter((entry) => entry.records.length > 0), rest }
}

/** The SQS message body of an entry (contract/src/report.ts, Batch). */
export function body(gateway: string, id: string, entry: Entry): Buffer {
  const head = `{"v":1,"gateway":"${gateway}","batch":"${id}","records":[`
  const text = Buffer.allocUnsafe(head.length + entry.bytes + 1)
  let offset = text.write(head)
  for (const { json } of entry.records) {
    offset += json.copy(text, offset)
    text[offset++] = COMMA
  }
  // In the place of the last comma.
  text.write(']}', offset - 1)
  return text
}

const COMMA = 0x2c
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
