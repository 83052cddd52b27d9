import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { METHOD } from '@pesebre/coap/codec/codes'
import { decode, encode, type Message, TYPE } from '@pesebre/coap/codec/message'
import { protectRequest, verifyResponse } from '@pesebre/coap/oscore/client'
import { deriveSecurityContext, type SecurityContext } from '@pesebre/coap/oscore/context'
import { SEQUENCE_END, SenderSequence } from '@pesebre/coap/oscore/sender-sequence'
import type { SentRequest } from '@pesebre/coap/oscore/sent-request'
import type { Downlink, Uplink } from '@pesebre/contract/check-in'
import {
  GATEWAY_SENDER_ID,
  idContextOf,
  type KidKind,
  kidOf,
  MASTER_SECRET_BYTES,
  masterSecretInfo,
  thingName,
} from '@pesebre/contract/kid'
import { nameDownlink, numberUplink } from '@pesebre/contract/numbered'
import { Decoder, Encoder } from 'cbor-x'
import { createNodeCrypto, hkdfExpand } from '../../gateway/src/security/node-crypto.ts'

/** The fleet key of every gateway in these tests, version 1. */
export const FLEET_KEY = Buffer.alloc(32, 7)
const crypto = createNodeCrypto()
const cborEncoder = new Encoder({ mapsAsObjects: false, useRecords: false })
const cborDecoder = new Decoder({ mapsAsObjects: false, useRecords: false })

/** A file with that key; goes when the test is over. */
export function fleetKeyFile(t: { teardown(run: () => void): void }): string {
  const dir = mkdtempSync(join(tmpdir(), 'pesebre-keys-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  const path = join(dir, 'fleet-keys.json')
  writeFileSync(path, JSON.stringify({ 1: FLEET_KEY.toString('hex') }), { mode: 0o600 })
  return path
}

/** One protected request on its way, and what opens its answer. */
export type Sent = { readonly bytes: Uint8Array; readonly partialIv: number; readonly sent: SentRequest }

/** What an answer says, to whom it was meant. */
export type Heard = {
  /** `2.04`; `unprotected 4.01` for what anyone could have sent; `refused: reason` for what does not verify. */
  readonly code: string
  readonly downlink: Downlink
  readonly payload: Uint8Array
  /** Options that were protected. */
  readonly inner: readonly { readonly number: number; readonly value: Uint8Array }[]
  readonly message: Message
}

export type DeviceOptions = {
  number: number
  kind?: KidKind
  version?: number
  fleetKey?: Uint8Array
  /** Its OSCORE Master Secret; default: what follows from the fleet key. */
  secret?: Uint8Array
  /** Its next Partial IV. */
  next?: number
}

export type SecureDevice = ReturnType<typeof createSecureDevice>

/** A registered device's side of OSCORE: makes protected requests and opens what answers them. One counter for all gateways. */
export function createSecureDevice({
  number,
  kind = 'feeder',
  version = 1,
  fleetKey = FLEET_KEY,
  secret,
  next = 0,
}: DeviceOptions) {
  const kid = kidOf({ kind, version, number })
  const masterSecret = secret ?? hkdfExpand(fleetKey, masterSecretInfo(kid), MASTER_SECRET_BYTES)
  const sequence = new SenderSequence(next, SEQUENCE_END)
  const contexts = new Map<string, SecurityContext>()
  let messageId = Math.floor(Math.random() * 0x10000)

  function contextFor(gateway: string): SecurityContext {
    const held = contexts.get(gateway)
    if (held !== undefined) return held
    const idContext = idContextOf(gateway)
    const made = deriveSecurityContext(
      { masterSecret, senderId: kid, recipientId: GATEWAY_SENDER_ID, idContext },
      crypto,
    )
    contexts.set(gateway, made)
    return made
  }

  function request(different: RequestOptions = {}): Sent {
    const {
      gateway = 'a',
      method = METHOD.POST,
      path = ['u'],
      options = [],
      payload = new Uint8Array(0),
    } = different
    const { type = TYPE.CON, token = Uint8Array.of(number, messageId & 0xff) } = different
    messageId = (messageId + 1) & 0xffff
    const segments = path.map((segment) => ({ number: 11, value: Buffer.from(segment) }))
    const made = protectRequest(
      { code: method, options: [...segments, ...options].sort((a, b) => a.number - b.number), payload },
      { context: contextFor(gateway), sequence },
    )
    if (!made.ok) throw new Error(`Failed to protect a request: ${made.reason}`)
    const bytes = encode({ type, messageId, token, ...made.request })
    return { bytes, partialIv: made.sent.partialIv, sent: made.sent }
  }

  /** `POST /u` with an uplink in CBOR. */
  function checkIn(uplink: Uplink = { state: { battery_mv: 3300 } }, different: RequestOptions = {}): Sent {
    const payload = cborEncoder.encode(numberUplink(uplink, kind))
    return request({ payload, ...different })
  }

  return { thing: thingName(kind, number), kid, sequence, request, checkIn }
}

export type RequestOptions = {
  gateway?: string
  method?: number
  path?: readonly string[]
  options?: readonly { number: number; value: Uint8Array }[]
  payload?: Uint8Array
  type?: number
  token?: Uint8Array
}

/** Opens what answered a request. */
export function hear(bytes: Uint8Array, { sent }: Sent): Heard {
  const decoded = decode(bytes)
  if (!decoded.ok) throw new Error(`Not CoAP: ${decoded.reason}`)
  const { message } = decoded
  const nothing = { downlink: {}, payload: new Uint8Array(0), inner: [], message }
  const verified = verifyResponse(message, sent)
  if (!verified.ok && verified.reason === 'not-protected')
    return { code: `unprotected ${codeText(message.code)}`, ...nothing }
  if (!verified.ok) return { code: `refused: ${verified.reason}`, ...nothing }
  const { code, payload, options: inner } = verified.response
  const isDownlink = code >> 5 === 2 && payload.length > 0 && payload[0]! >> 5 === 5
  const downlink = isDownlink ? nameDownlink(cborDecoder.decode(payload)) : {}
  if (typeof downlink === 'string') throw new Error(`Not a downlink: ${downlink}`)
  return { code: codeText(code), downlink, payload, inner, message }
}

function codeText(code: number): string {
  return `${code >> 5}.${String(code & 31).padStart(2, '0')}`
}
