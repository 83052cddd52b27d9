import { createHmac } from 'node:crypto'
import { decode, encode, type Message, type Option } from '@pesebre/coap/codec/message'
import { nodeCrypto } from '@pesebre/coap/node-crypto'
import { protectRequest, verifyResponse } from '@pesebre/coap/oscore/client'
import { deriveSecurityContext } from '@pesebre/coap/oscore/context'
import type { MessageFields } from '@pesebre/coap/oscore/plaintext'
import { ReplayWindow } from '@pesebre/coap/oscore/replay-window'
import { SenderSequence } from '@pesebre/coap/oscore/sender-sequence'
import { protectResponse, protectResponseWithPartialIv, verifyRequest } from '@pesebre/coap/oscore/server'
import { GATEWAY_SENDER_ID, idContextOf, MASTER_SECRET_BYTES, masterSecretInfo } from '@pesebre/contract/kid'

/** A CoAP message as the vectors have it: everything in hexadecimal but numbers. */
export type Inner = { code: number; options: [number, string][]; payload: string }
export type Frame = { type: number; message_id: number; token: string }

export type ExchangeVector = {
  name: string
  sequence: number
  request: Frame & { inner: Inner; uplink: unknown; datagram: string; size: number }
  response: Frame & {
    /** The gateway's own sequence number; absent: the answer uses the nonce of the request. */
    sequence?: number
    inner: Inner
    downlink: unknown
    datagram: string
    size: number
  }
}

export type Keys = { fleet_key: string; kid: string; gateway_id: string }

export const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'))
export const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex')

/** HKDF-Expand, RFC 5869 section 2.3, one block. */
export function masterSecretOf(fleetKey: Uint8Array, kid: Uint8Array): Uint8Array {
  const block = createHmac('sha256', fleetKey).update(masterSecretInfo(kid)).update(Uint8Array.of(1)).digest()
  return Uint8Array.from(block.subarray(0, MASTER_SECRET_BYTES))
}

/** The contexts of both sides. */
export function contextsOf({ fleet_key, kid, gateway_id }: Keys) {
  const common = {
    masterSecret: masterSecretOf(bytes(fleet_key), bytes(kid)),
    idContext: idContextOf(gateway_id),
  }
  return {
    device: deriveSecurityContext(
      { ...common, senderId: bytes(kid), recipientId: GATEWAY_SENDER_ID },
      nodeCrypto,
    ),
    gateway: deriveSecurityContext(
      { ...common, senderId: GATEWAY_SENDER_ID, recipientId: bytes(kid) },
      nodeCrypto,
    ),
  }
}

/** Runs one exchange through both sides, and returns its datagrams and what each side read in them. */
export function runExchange(keys: Keys, vector: Pick<ExchangeVector, 'sequence'> & Frames) {
  const { device, gateway } = contextsOf(keys)
  const { request, response, sequence } = vector
  const made = protectRequest(fieldsOf(request.inner), {
    context: device,
    sequence: new SenderSequence(sequence, sequence + 1),
  })
  if (!made.ok) throw new Error(made.reason)
  const requestDatagram = datagramOf(request, made.request)
  const received = decode(requestDatagram)
  if (!received.ok) throw new Error(received.reason)
  const opened = verifyRequest(received.message, (kid) =>
    hex(kid) === keys.kid ? { context: gateway, replayWindow: new ReplayWindow() } : undefined,
  )
  if (opened.kind !== 'verified') throw new Error(opened.kind)
  const answer =
    response.sequence === undefined
      ? protectResponse(fieldsOf(response.inner), opened.nonce)
      : withOwnNumber(response.inner, response.sequence)
  const responseDatagram = datagramOf(response, answer)
  const back = decode(responseDatagram)
  if (!back.ok) throw new Error(back.reason)
  const verified = verifyResponse(back.message, made.sent)
  if (!verified.ok) throw new Error(verified.reason)
  return { requestDatagram, responseDatagram, request: opened.request, response: verified.response }

  function withOwnNumber(inner: Inner, number: number): MessageFields {
    if (opened.kind !== 'verified') throw new Error(opened.kind)
    const own = protectResponseWithPartialIv(
      fieldsOf(inner),
      opened.binding,
      new SenderSequence(number, number + 1),
    )
    if (!own.ok) throw new Error(own.reason)
    return own.response
  }
}

type Frames = {
  request: Frame & { inner: Inner }
  response: Frame & { inner: Inner; sequence?: number }
}

function fieldsOf({ code, options, payload }: Inner): MessageFields {
  const listed = options.map(([number, value]): Option => ({ number, value: bytes(value) }))
  return { code, options: listed, payload: bytes(payload) }
}

function datagramOf({ type, message_id, token }: Frame, fields: MessageFields): Uint8Array {
  const message: Message = { type, messageId: message_id, token: bytes(token), ...fields }
  return encode(message)
}
