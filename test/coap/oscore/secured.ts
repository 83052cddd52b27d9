import { METHOD } from '@pesebre/coap/codec/codes'
import { encode, type Message, type Option, TYPE } from '@pesebre/coap/codec/message'
import { createEndpoint, type Endpoint } from '@pesebre/coap/endpoint/endpoint'
import type { Settings } from '@pesebre/coap/endpoint/settings'
import { nodeCrypto } from '@pesebre/coap/node-crypto'
import { protectRequest, verifyResponse } from '@pesebre/coap/oscore/client'
import { deriveSecurityContext, type SecurityContext } from '@pesebre/coap/oscore/context'
import type { CryptoPrimitives } from '@pesebre/coap/oscore/crypto'
import { createRequestSecurity } from '@pesebre/coap/oscore/endpoint-client'
import { createSecurity, type SecuritySettings } from '@pesebre/coap/oscore/endpoint-security'
import type { MessageFields } from '@pesebre/coap/oscore/plaintext'
import { type ReplayProtection, ReplayWindow } from '@pesebre/coap/oscore/replay-window'
import { SEQUENCE_END, SenderSequence, type SequenceNumbers } from '@pesebre/coap/oscore/sender-sequence'
import type { SentRequest } from '@pesebre/coap/oscore/sent-request'
import { messageOf, seedOf } from '../endpoint/harness.ts'
import { bytes, hex, path } from './harness.ts'

/** What the tests of protected endpoints share: a gateway, devices that have its keys, and short ways to send. */

export const GATEWAY = bytes('67')
export const ID_CONTEXT = Buffer.from('a')

function kidOf(device: number): Uint8Array {
  return Uint8Array.of(0x10, 0, 0, 0, device)
}

export function nameOf(device: number): string {
  return `feeder-${device}`
}

function contextOf(device: number, role: 'device' | 'gateway', crypto: CryptoPrimitives): SecurityContext {
  const kid = kidOf(device)
  const [senderId, recipientId] = role === 'device' ? [kid, GATEWAY] : [GATEWAY, kid]
  const masterSecret = new Uint8Array(16).fill(device + 1)
  return deriveSecurityContext({ masterSecret, senderId, recipientId, idContext: ID_CONTEXT }, crypto)
}

/** What a gateway keeps beside its endpoint: it stays when the endpoint is made anew. */
export class Keys {
  readonly windows: ReplayProtection[]
  readonly sequence: SequenceNumbers
  readonly #contexts: SecurityContext[]

  /** Knows devices 0 to `count` - 1. */
  constructor(count = 3, { crypto = nodeCrypto, sequence = unlimited() } = {}) {
    this.#contexts = Array.from({ length: count }, (_, device) => contextOf(device, 'gateway', crypto))
    this.windows = this.#contexts.map(() => new ReplayWindow())
    this.sequence = sequence
  }

  readonly find: SecuritySettings['find'] = (kid) => {
    const device = this.#contexts.findIndex((_, candidate) => hex(kidOf(candidate)) === hex(kid))
    const context = this.#contexts[device]
    return context && { context, replayWindow: this.windows[device]!, principal: nameOf(device) }
  }
}

export function gatewayOf(
  keys: Keys,
  settings: Partial<Settings> = {},
  refusals: SecuritySettings['refusals'] = 'told',
): Endpoint {
  const security = createSecurity({ find: keys.find, sequence: keys.sequence, refusals })
  return createEndpoint({ seed: seedOf(7), security, ...settings })
}

/** A protected request on its way. */
export interface Sent {
  readonly data: Uint8Array
  readonly sent: SentRequest
  readonly number: number
}

/** What a device makes of a request; message id and token count up, unless they are given. */
export interface Draft {
  readonly type?: number
  readonly code?: number
  readonly messageId?: number
  readonly token?: Uint8Array
  readonly path?: readonly string[]
  readonly options?: readonly Option[]
  readonly payload?: string | Uint8Array
  /** Partial IV; default the next. */
  readonly number?: number
  /** Further options on the outside. */
  readonly outside?: readonly Option[]
}

/** A device that makes datagrams of its own, without an endpoint. */
export class Device {
  readonly context: SecurityContext
  readonly sequence = new SenderSequence(0, SEQUENCE_END)
  #messageId = 100

  constructor(device = 0, crypto: CryptoPrimitives = nodeCrypto) {
    this.context = contextOf(device, 'device', crypto)
  }

  /** Protects requests of an endpoint. */
  security(sequence: SequenceNumbers = this.sequence) {
    return createRequestSecurity({ context: this.context, sequence })
  }

  ask(draft: Draft = {}): Sent {
    const { type = TYPE.CON, code = METHOD.POST, number, options = [], outside = [], payload = '{}' } = draft
    const messageId = draft.messageId ?? ++this.#messageId & 0xffff
    const token = draft.token ?? Uint8Array.of(messageId >> 8, messageId)
    const sequence = number === undefined ? this.sequence : new SenderSequence(number, number + 1)
    const inside: MessageFields = {
      code,
      options: [...path(...(draft.path ?? ['u'])), ...options],
      payload: typeof payload === 'string' ? Buffer.from(payload) : payload,
    }
    const result = protectRequest(inside, { context: this.context, sequence })
    if (!result.ok) throw new Error(`Failed to protect a request: ${result.reason}`)
    const { request, sent } = result
    const data = encode({ type, messageId, token, ...request, options: [...request.options, ...outside] })
    return { data, sent, number: sent.partialIv }
  }

  /** What a response to it says inside. Throws when it cannot be verified. */
  open({ sent }: Sent, response: Message | Uint8Array): MessageFields & { isFinal: boolean } {
    const message = response instanceof Uint8Array ? messageOf(response) : response
    const verification = verifyResponse(message, sent)
    if (!verification.ok) throw new Error(`Failed to verify a response: ${verification.reason}`)
    return { ...verification.response, isFinal: verification.isFinal }
  }
}

function unlimited(): SequenceNumbers {
  return new SenderSequence(0, SEQUENCE_END)
}
