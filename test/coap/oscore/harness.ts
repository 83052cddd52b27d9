import { readFileSync } from 'node:fs'
import { decode, encode, type Message, type Option } from '@pesebre/coap/codec/message'
import { OPTION } from '@pesebre/coap/codec/options'
import { utf8 } from '@pesebre/coap/codec/text'
import { uintBytes } from '@pesebre/coap/codec/uint'
import { nodeCrypto } from '@pesebre/coap/node-crypto'
import { protectRequest } from '@pesebre/coap/oscore/client'
import { deriveSecurityContext, type SecurityContext } from '@pesebre/coap/oscore/context'
import type { CryptoPrimitives } from '@pesebre/coap/oscore/crypto'
import type { MessageFields } from '@pesebre/coap/oscore/plaintext'
import { ReplayWindow } from '@pesebre/coap/oscore/replay-window'
import { SEQUENCE_END, SenderSequence } from '@pesebre/coap/oscore/sender-sequence'
import type { SentRequest } from '@pesebre/coap/oscore/sent-request'
import { type RecipientContext, type RequestVerification, verifyRequest } from '@pesebre/coap/oscore/server'

/** What the tests of OSCORE share: two endpoints that know each other, and short ways to make and compare messages. */

export function bytes(hexadecimal: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hexadecimal, 'hex'))
}

export function hex(data: Uint8Array | undefined): string {
  return data === undefined ? 'none' : Buffer.from(data).toString('hex')
}

export interface KeyVector {
  readonly section: string
  readonly role: 'client' | 'server'
  readonly master_secret: string
  readonly master_salt: string
  readonly sender_id: string
  readonly recipient_id: string
  readonly id_context: string | null
  readonly info_sender_key: string
  readonly info_recipient_key: string
  readonly info_common_iv: string
  readonly sender_key: string
  readonly recipient_key: string
  readonly common_iv: string
  readonly sender_nonce_piv0: string
  readonly recipient_nonce_piv0: string
}

export interface MessageVector {
  readonly section: string
  readonly kind: 'request' | 'response'
  readonly context: string
  readonly unprotected: string
  readonly protected: string
  readonly sender_id: string
  readonly sender_sequence_number: number
  readonly request_kid: string
  readonly request_piv: string
  readonly partial_iv: string | null
  readonly aad_array: string
  readonly aad: string
  readonly plaintext: string
  readonly key: string
  readonly nonce: string
  readonly oscore_option: string
  readonly ciphertext: string
}

/** One of the files in `vectors/`. */
export function vectors<T>(name: string): readonly T[] {
  return JSON.parse(readFileSync(new URL(`vectors/${name}.json`, import.meta.url), 'utf8')).vectors
}

export function message(data: string | Uint8Array): Message {
  const decoded = decode(typeof data === 'string' ? bytes(data) : data)
  if (!decoded.ok) throw new Error(`Failed to decode a message: ${decoded.reason}`)
  return decoded.message
}

/** The datagram of `header` with the fields that OSCORE has put in the place of its own. */
export function datagram(header: Message, fields: MessageFields): Uint8Array {
  return encode({ ...header, ...fields })
}

/** The context that a section of Appendix C derives. */
export function contextOf(section: string, crypto: CryptoPrimitives = nodeCrypto): SecurityContext {
  const vector = vectors<KeyVector>('key-derivation').find((candidate) => candidate.section === section)
  if (vector === undefined) throw new Error(`Failed to find a vector: ${section}`)
  return deriveSecurityContext(parametersOf(vector), crypto)
}

export function parametersOf(vector: KeyVector) {
  return {
    masterSecret: bytes(vector.master_secret),
    masterSalt: bytes(vector.master_salt),
    senderId: bytes(vector.sender_id),
    recipientId: bytes(vector.recipient_id),
    idContext: vector.id_context === null ? undefined : bytes(vector.id_context),
  }
}

export interface Pair {
  readonly client: SecurityContext
  readonly server: SecurityContext
  readonly sequence: SenderSequence
  readonly serverSequence: SenderSequence
  readonly recipient: { readonly context: SecurityContext; readonly replayWindow: ReplayWindow }
}

/** A client and a server with one another's keys and nothing sent yet. */
export function pairOf(crypto: CryptoPrimitives = nodeCrypto): Pair {
  const common = { masterSecret: new Uint8Array(16).fill(7), idContext: utf8('gw-a') }
  const device = bytes('1011121314')
  const gateway = bytes('01')
  const server = deriveSecurityContext({ ...common, senderId: gateway, recipientId: device }, crypto)
  return {
    client: deriveSecurityContext({ ...common, senderId: device, recipientId: gateway }, crypto),
    server,
    sequence: new SenderSequence(0, SEQUENCE_END),
    serverSequence: new SenderSequence(0, SEQUENCE_END),
    recipient: { context: server, replayWindow: new ReplayWindow() },
  }
}

export function fields(code: number, options: readonly Option[] = [], payload = ''): MessageFields {
  return { code, options, payload: utf8(payload) }
}

export function path(...segments: readonly string[]): Option[] {
  return segments.map((segment) => ({ number: OPTION.URI_PATH, value: utf8(segment) }))
}

export function uint(number: number, value: number): Option {
  return { number, value: uintBytes(value) }
}

/** Protects a request that there is a number for. */
export function sendOf(pair: Pair, request: MessageFields): { request: MessageFields; sent: SentRequest } {
  const result = protectRequest(request, { context: pair.client, sequence: pair.sequence })
  if (!result.ok) throw new Error(`Failed to protect a request: ${result.reason}`)
  return result
}

/** A request with a number of our choice. */
export function sendWith(pair: Pair, number: number, request: MessageFields): MessageFields {
  return sendOf({ ...pair, sequence: new SenderSequence(number, number + 1) }, request).request
}

export function verify<R extends RecipientContext>(
  request: MessageFields,
  recipient: R,
): RequestVerification<R> {
  return verifyRequest(request, () => recipient)
}

/** What became of a request, in one word. */
export function outcome(verification: RequestVerification<RecipientContext>): string {
  return verification.kind === 'refused' ? verification.refusal.reason : verification.kind
}

/** A verified request. Throws if it was not. */
export function verified<R extends RecipientContext>(request: MessageFields, recipient: R) {
  const verification = verify(request, recipient)
  if (verification.kind !== 'verified')
    throw new Error(`Failed to verify a request: ${outcome(verification)}`)
  const { code, options, payload } = verification.request
  return { ...verification, request: { code, options, payload } }
}

export function withOscore(message: MessageFields, value: Uint8Array): MessageFields {
  const options = message.options.map((option) =>
    option.number === OPTION.OSCORE ? { ...option, value } : option,
  )
  return { ...message, options }
}

/** A generator of numbers below a limit, the same for the same seed (mulberry32). */
export function randomOf(seed: number): (limit: number) => number {
  let state = seed
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit
  }
}
