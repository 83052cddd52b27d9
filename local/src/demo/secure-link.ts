/**
 * Check-ins over OSCORE on npm `coap`, a client that is not ours: it carries the OSCORE option and the ciphertext, and knows of
 * neither.
 */
import { CODE, METHOD } from '@pesebre/coap/codec/codes'
import { CONTENT_FORMAT } from '@pesebre/coap/codec/content-formats'
import { OPTION } from '@pesebre/coap/codec/options'
import { utf8 } from '@pesebre/coap/codec/text'
import { protectRequest, verifyResponse } from '@pesebre/coap/oscore/client'
import { deriveSecurityContext, type SecurityContext } from '@pesebre/coap/oscore/context'
import { oscoreOptionOf } from '@pesebre/coap/oscore/option-classes'
import type { MessageFields } from '@pesebre/coap/oscore/plaintext'
import { challengeOf } from '@pesebre/coap/oscore/recovery'
import type { Downlink, Uplink } from '@pesebre/contract/check-in'
import { GATEWAY_SENDER_ID, idContextOf } from '@pesebre/contract/kid'
import { nameDownlink, numberUplink } from '@pesebre/contract/numbered'
import { Decoder, Encoder } from 'cbor-x'
import { Agent, request as coapRequest, type IncomingMessage, type OutgoingMessage } from 'coap'
import type { StoredSequence } from './files.ts'
import type { Gateway, GatewayChoice } from './gateways.ts'
import { nodeCrypto } from './node-crypto.ts'
import type { DeviceIdentity } from './registration.ts'

/** A real feeder hears no longer than 250 ms; here a busy machine has to be borne with. */
const PATIENCE_MS = 2000
const PATH = 'u'
const KIND = 'feeder'

const encoder = new Encoder({ useRecords: false, mapsAsObjects: false, tagUint8Array: false })
const decoder = new Decoder({ useRecords: false, mapsAsObjects: false })

export type SecureLink = {
  /** One exchange. `answer` is undefined when no verified one came, and then `problem` says why. */
  exchange(
    uplink: Uplink,
  ): Promise<{ gateway: Gateway; answer: Downlink } | { gateway: Gateway; problem: string }>
}

export function createSecureLink(
  identity: DeviceIdentity,
  { gateways, sequence }: { gateways: GatewayChoice; sequence: StoredSequence },
): SecureLink {
  const contexts = new Map<string, SecurityContext>()
  const agent = new Agent({ type: 'udp4' })
  agent.on('error', () => undefined)

  /** A context of its own with each gateway, since each mixes in its id (design/wire.md section 2). */
  function contextFor({ id }: Gateway): SecurityContext {
    const known = contexts.get(id)
    if (known !== undefined) return known
    const context = deriveSecurityContext(
      {
        masterSecret: Buffer.from(identity.secret, 'hex'),
        senderId: Buffer.from(identity.kid, 'hex'),
        recipientId: GATEWAY_SENDER_ID,
        idContext: idContextOf(id),
      },
      nodeCrypto,
    )
    contexts.set(id, context)
    return context
  }

  /** A verified response, or why there is none. Only a verified one means anything: anyone can send another (feeding, Power). */
  async function ask(gateway: Gateway, inner: MessageFields): Promise<MessageFields | string> {
    sequence.reserve()
    const protection = protectRequest(inner, { context: contextFor(gateway), sequence: sequence.sequence })
    if (!protection.ok) return protection.reason
    const { request, sent } = protection
    const response = await carry(agent, gateway, request)
    if (typeof response === 'string') return response
    const verified = verifyResponse(response, sent)
    return verified.ok ? verified.response : `${codeText(response.code)}, ${verified.reason}`
  }

  return {
    async exchange(uplink) {
      const gateway = gateways.current()
      const inner = checkIn(uplink)
      let response = await ask(gateway, inner)
      const echo = typeof response === 'string' ? undefined : challengeOf(response)
      if (echo !== undefined) {
        const options = [...inner.options, { number: OPTION.ECHO, value: echo }]
        response = await ask(gateway, { ...inner, options })
      }
      if (typeof response !== 'string' && response.code === CODE.CHANGED) {
        const answer = readDownlink(response.payload)
        if (typeof answer !== 'string') return { gateway, answer }
        response = answer
      }
      gateways.failed()
      return { gateway, problem: typeof response === 'string' ? response : codeText(response.code) }
    },
  }
}

function checkIn(uplink: Uplink): MessageFields {
  return {
    code: METHOD.POST,
    options: [
      { number: OPTION.URI_PATH, value: utf8(PATH) },
      { number: OPTION.CONTENT_FORMAT, value: Uint8Array.of(CONTENT_FORMAT.CBOR) },
    ],
    payload: encoder.encode(numberUplink(uplink, KIND)),
  }
}

function readDownlink(payload: Uint8Array): Downlink | string {
  if (payload.length === 0) return {}
  try {
    return nameDownlink(decoder.decode(payload))
  } catch (error) {
    return `answer that is no CBOR: ${(error as Error).message}`
  }
}

/** Sends a protected request once, as NON: a device that sleeps does not repeat itself in the same wake. */
function carry(agent: Agent, gateway: Gateway, request: MessageFields): Promise<MessageFields | string> {
  return new Promise((resolve) => {
    const message: OutgoingMessage = coapRequest({
      agent,
      hostname: gateway.host,
      port: gateway.port,
      method: 'POST',
      confirmable: false,
    })
    const patience = setTimeout(() => {
      agent.abort(message)
      resolve('no answer')
    }, PATIENCE_MS)
    const settle = (result: MessageFields | string) => {
      clearTimeout(patience)
      resolve(result)
    }
    // By its number: the library knows no name that it would write as OSCORE.
    message.setOption(`${OPTION.OSCORE}`, Buffer.from(oscoreOptionOf(request.options) ?? []))
    message.on('response', (response: IncomingMessage) => settle(fieldsOf(response)))
    message.on('error', (error: Error) => settle(error.message))
    message.end(Buffer.from(request.payload))
  })
}

/** Of a response only the OSCORE option counts: all others are inside. The library's `headers` leave out what is bytes. */
function fieldsOf({ code, payload, _packet }: IncomingMessage): MessageFields {
  const oscore = (_packet.options ?? []).filter(({ name }) => String(name) === 'OSCORE')
  const [digit = '0', detail = '0'] = code.split('.')
  return {
    code: Number(digit) * 32 + Number(detail),
    options: oscore.map(({ value }) => ({ number: OPTION.OSCORE, value: Buffer.from(value as Uint8Array) })),
    payload,
  }
}

function codeText(code: number): string {
  return `${code >> 5}.${String(code & 31).padStart(2, '0')}`
}
