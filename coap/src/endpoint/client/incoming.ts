import { blockOf, blockSize, SZX_RESERVED } from '../../codec/block.ts'
import type { Message, Option } from '../../codec/message.ts'
import { isCritical, isLengthAllowed, OPTION } from '../../codec/options.ts'
import { readUint } from '../../codec/uint.ts'
import type { FailureReason } from '../types.ts'

/** The body of an answer, put together from its blocks (RFC 7959 section 2.4). */
export interface IncomingBody {
  /** The first block: its code and options are those of the whole answer. */
  readonly first: Message
  readonly tag: string
  szx: number
  length: number
  readonly parts: Uint8Array[]
}

export type BodyStep =
  | { readonly kind: 'whole'; readonly first: Message; readonly payload: Uint8Array }
  /** Ask for the block that begins at `length`. */
  | { readonly kind: 'more'; readonly body: IncomingBody }
  /** The resource has changed on the way: begin again. */
  | { readonly kind: 'changed' }
  | { readonly kind: 'failure'; readonly reason: FailureReason }

/** Takes one message of an answer; `body` is what has come of it so far. */
export function takeBlock(body: IncomingBody | undefined, message: Message, max: number): BodyStep {
  const value = uintOf(message.options, OPTION.BLOCK2)
  if (value === undefined) {
    if (message.payload.length > max) return { kind: 'failure', reason: 'too-large' }
    return { kind: 'whole', first: message, payload: message.payload }
  }
  const { num, more, szx } = blockOf(value)
  const { payload } = message
  if (szx === SZX_RESERVED || (more && payload.length !== blockSize(szx)))
    return { kind: 'failure', reason: 'bad-block' }
  const tag = tagOf(message.options)
  const offset = num * blockSize(szx)
  if (body !== undefined && (tag !== body.tag || message.code !== body.first.code)) return { kind: 'changed' }
  if (offset !== (body?.length ?? 0)) return { kind: 'failure', reason: 'bad-block' }
  if (offset + payload.length > max) return { kind: 'failure', reason: 'too-large' }
  const taken = body ?? { first: message, tag, szx, length: 0, parts: [] }
  taken.szx = szx
  taken.parts.push(payload)
  taken.length += payload.length
  return more ? { kind: 'more', body: taken } : { kind: 'whole', first: taken.first, payload: join(taken) }
}

/** The value of a uint option, undefined if it is not there. */
export function uintOf(options: readonly Option[], number: number): number | undefined {
  const option = options.find((candidate) => candidate.number === number)
  return option === undefined || option.value.length > 4
    ? undefined
    : readUint(option.value, 0, option.value.length)
}

/** Whether an option says that the message may not be used by who does not know it (RFC 7252 section 5.4.1). */
export function hasUnknownCritical(options: readonly Option[], understood: ReadonlySet<number>): boolean {
  return options.some(({ number, value }) => {
    if (!isCritical(number) || understood.has(number)) return false
    return number !== OPTION.BLOCK1 && number !== OPTION.BLOCK2
      ? true
      : !isLengthAllowed(number, value.length)
  })
}

/** How long the order of notifications counts, milliseconds (RFC 7641 section 3.4). */
const ORDER_LIFETIME = 128_000

/** Whether a notification is newer than the last one (RFC 7641 section 3.4). */
export function isFresh(
  last: { sequence: number; notifiedAt: number },
  sequence: number,
  now: number,
): boolean {
  const ahead = (sequence - last.sequence) & 0xff_ffff
  return (ahead > 0 && ahead < 0x80_0000) || now > last.notifiedAt + ORDER_LIFETIME
}

function tagOf(options: readonly Option[]): string {
  return options.find((option) => option.number === OPTION.ETAG)?.value.join() ?? ''
}

function join({ parts, length }: IncomingBody): Uint8Array {
  const [only] = parts
  if (only !== undefined && parts.length === 1) return only
  const whole = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
