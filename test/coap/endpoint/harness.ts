import { decode, encode, type Message, type Option, TYPE } from '@pesebre/coap/codec/message'
import { OPTION } from '@pesebre/coap/codec/options'
import { utf8 } from '@pesebre/coap/codec/text'
import { uintBytes } from '@pesebre/coap/codec/uint'
import { createEndpoint, type Endpoint } from '@pesebre/coap/endpoint/endpoint'
import type { Settings } from '@pesebre/coap/endpoint/settings'
import type { Effect, Exchange, Peer, Request, Response } from '@pesebre/coap/endpoint/types'

/** What the tests of the endpoint share: short ways to make datagrams, and to say what came out. */

export const peer: Peer = { address: '192.0.2.1', port: 5000 }

export function endpointOf(settings: Partial<Settings> = {}): Endpoint {
  return createEndpoint({ seed: seedOf(7), ...settings })
}

export function seedOf(number: number): Uint8Array {
  const seed = new Uint8Array(16)
  new DataView(seed.buffer).setUint32(4, number)
  return seed
}

export function bytes(hexadecimal: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hexadecimal.replace(/\s/g, ''), 'hex'))
}

export function hex(data: Uint8Array): string {
  return Buffer.from(data).toString('hex')
}

export interface Draft {
  readonly type?: number
  readonly code?: number
  readonly messageId?: number
  readonly token?: Uint8Array
  readonly path?: readonly string[]
  readonly query?: readonly string[]
  readonly options?: readonly Option[]
  readonly payload?: Uint8Array | string
}

/** The bytes of a message: by default, a CON POST to `/u` with message id 1 and token `ab`. */
export function datagram(draft: Draft = {}): Uint8Array {
  const { type = TYPE.CON, code = 2, messageId = 1, token = Uint8Array.of(0xab), path = ['u'] } = draft
  const { query = [], options = [], payload = new Uint8Array(0) } = draft
  return encode({
    type,
    code,
    messageId,
    token,
    options: [
      ...path.map((segment) => ({ number: OPTION.URI_PATH, value: utf8(segment) })),
      ...query.map((argument) => ({ number: OPTION.URI_QUERY, value: utf8(argument) })),
      ...options,
    ],
    payload: typeof payload === 'string' ? utf8(payload) : payload,
  })
}

export function uint(number: number, value: number): Option {
  return { number, value: uintBytes(value) }
}

/** Effects in a form to compare: sent bytes as hexadecimal digits, requests and drops by what matters of them. */
export function told(effects: readonly Effect[]): string[] {
  return effects.map(tell)
}

function tell(effect: Effect): string {
  switch (effect.kind) {
    case 'send':
      return `send ${hex(effect.bytes)}`
    case 'request':
      return `request /${effect.request.path.join('/')}`
    case 'drop':
      return `drop ${effect.reason}`
    case 'response':
      return `response ${effect.response.code.toString(16)}${effect.isFinal ? '' : ' more'}`
    case 'failure':
      return `failure ${effect.reason}`
  }
}

/** The messages among the effects that are to be sent. */
export function sent(effects: readonly Effect[]): Message[] {
  return effects.flatMap((effect) => (effect.kind === 'send' ? [messageOf(effect.bytes)] : []))
}

export function messageOf(data: Uint8Array): Message {
  const decoded = decode(data)
  if (!decoded.ok) throw new Error(`Failed to decode what the endpoint sent: ${decoded.reason}`)
  return decoded.message
}

/** The one request among the effects. */
export function requested(effects: readonly Effect[]): { exchange: Exchange; request: Request } {
  const [effect, ...others] = effects.filter((candidate) => candidate.kind === 'request')
  if (effect?.kind !== 'request' || others.length > 0)
    throw new Error(`Failed to find one request: ${told(effects)}`)
  return effect
}

/** Takes a datagram and answers the request that comes of it at once. */
export function exchangeOf(
  endpoint: Endpoint,
  data: Uint8Array,
  response: Response,
  now = 0,
  from = peer,
): Message[] {
  const effects = endpoint.receive(data, from, now)
  const found = effects.find((effect) => effect.kind === 'request')
  return sent(
    found?.kind === 'request' ? [...effects, ...endpoint.respond(found.exchange, response, now)] : effects,
  )
}

/** The value of an option as a number, undefined if the message does not have it. */
export function optionOf(message: Message, number: number): number | undefined {
  const option = message.options.find((candidate) => candidate.number === number)
  return option?.value.reduce((value, byte) => value * 256 + byte, 0)
}

export function total(counters: Readonly<Record<string, number>>): number {
  return Object.values(counters).reduce((sum, count) => sum + count, 0)
}
