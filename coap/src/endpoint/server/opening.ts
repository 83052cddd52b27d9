import { type Option, TYPE } from '../../codec/message.ts'
import { OPTION } from '../../codec/options.ts'
import { createScan, type Scan, scan } from '../../codec/scan.ts'
import type { MessageFields } from '../security.ts'
import type { Peer } from '../types.ts'
import { Received } from './received.ts'

const NO_BYTES = new Uint8Array(0)
const inner = createScan()
/** Where the type is in the first byte of a message (RFC 7252 section 3). */
const TYPE_SHIFT = 4
const TYPE_BITS = 3 << TYPE_SHIFT

/** Whether a message claims to be protected (RFC 8613 section 2). */
export function hasOscore({ numbers, optionCount }: Scan): boolean {
  // In order of number: of an ordinary request, Uri-Path comes first and ends the search.
  for (let at = 0; at < optionCount && numbers[at]! <= OPTION.OSCORE; at++) {
    if (numbers[at] === OPTION.OSCORE) return true
  }
  return false
}

/** The fields of a datagram that has been scanned. */
export function fieldsOf(bytes: Uint8Array, scan: Scan): MessageFields {
  const { code, optionCount, numbers, starts, ends, payloadStart } = scan
  const options: Option[] = []
  for (let at = 0; at < optionCount; at++) {
    options.push({ number: numbers[at]!, value: bytes.subarray(starts[at]!, ends[at]!) })
  }
  return { code, options, payload: bytes.subarray(payloadStart) }
}

/** What was inside a protected datagram, as a request to read the options of like those of any other. */
export interface Opening {
  readonly request: Received
  /** Good until the next call. */
  readonly scan: Scan
}

/** Makes a request of the message that was inside the datagram `outer`. Undefined when it has more options than a message may have. */
export function openingOf(
  bytes: Uint8Array,
  outer: { readonly scan: Scan; readonly peer: Peer; readonly size: number },
): Opening | undefined {
  bytes[0] = (bytes[0]! & ~TYPE_BITS) | (outer.scan.type << TYPE_SHIFT)
  if (scan(bytes, inner) !== undefined) return undefined
  const request = new Received(bytes, inner, outer.peer)
  request.size = outer.size
  return { request, scan: inner }
}

/** Whether the outside says, too, that notifications are asked for: a proxy that knows nothing of them takes that out. */
export function hasObserve({ numbers, optionCount }: Scan): boolean {
  for (let at = 0; at < optionCount; at++) if (numbers[at] === OPTION.OBSERVE) return true
  return false
}

/**
 * A refusal, without its text where that would make it more than three times as large as what it answers: nobody has proven that he
 * is at the address that it goes to.
 */
export function atMostThreeTimes(response: MessageFields, { tokenEnd }: Scan, size: number): MessageFields {
  const options = response.options.reduce((sum, { value }) => sum + 3 + value.length, 0)
  const isSmall = tokenEnd + options + 1 + response.payload.length <= 3 * size
  return isSmall ? response : { ...response, payload: NO_BYTES }
}

/** Type of the message that answers at once. */
export function replyType({ type }: Scan): number {
  return type === TYPE.CON ? TYPE.ACK : TYPE.NON
}
