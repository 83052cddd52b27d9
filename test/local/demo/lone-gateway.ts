import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { CODE } from '@pesebre/coap/codec/codes'
import { decode, encode, TYPE } from '@pesebre/coap/codec/message'
import { nodeCrypto } from '@pesebre/coap/node-crypto'
import { deriveSecurityContext } from '@pesebre/coap/oscore/context'
import type { MessageFields } from '@pesebre/coap/oscore/plaintext'
import { ReplayWindow } from '@pesebre/coap/oscore/replay-window'
import { SenderSequence } from '@pesebre/coap/oscore/sender-sequence'
import {
  protectChallenge,
  protectResponse,
  type RecipientContext,
  verifyRequest,
} from '@pesebre/coap/oscore/server'
import type { Downlink, Uplink } from '@pesebre/contract/check-in'
import { GATEWAY_SENDER_ID, idContextOf, kidOf } from '@pesebre/contract/kid'
import { nameUplink, numberDownlink } from '@pesebre/contract/numbered'
import { Decoder, Encoder } from 'cbor-x'

export const NUMBER = 0x1a2b3c4c
export const KID = kidOf({ kind: 'feeder', version: 1, number: NUMBER })
export const SECRET = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex')

export type Manner = 'answers' | 'challenges' | 'forges' | 'is silent'

/** What it heard in one check-in. */
export type Heard = {
  uplink: Uplink
  partialIv: number
  type: number
  path: string
  size: number
  hasEcho: boolean
}

type Tap = { teardown(handler: () => void): void }

const NO_BYTES = new Uint8Array(0)
const encoder = new Encoder({ useRecords: false, mapsAsObjects: false, tagUint8Array: false })
const decoder = new Decoder({ useRecords: false, mapsAsObjects: false })

/** A gateway of one device on a socket of its own, which behaves as the test wants. Throws what it cannot read of a check-in. */
export async function startLoneGateway(
  t: Tap,
  id: string,
  answer: (uplink: Uplink) => Downlink = () => ({}),
) {
  const context = deriveSecurityContext(
    { masterSecret: SECRET, senderId: GATEWAY_SENDER_ID, recipientId: KID, idContext: idContextOf(id) },
    nodeCrypto,
  )
  const recipient: RecipientContext = { context, replayWindow: new ReplayWindow() }
  const sequence = new SenderSequence(0, 1000)
  const heard: Heard[] = []
  const gateway = { manner: 'answers' as Manner, heard, id, host: '127.0.0.1', port: 0, refused: 0 }
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  gateway.port = socket.address().port
  t.teardown(() => socket.close())

  socket.on('message', (bytes, peer) => {
    const decoded = decode(bytes)
    if (!decoded.ok || gateway.manner === 'is silent') return
    const { type, token } = decoded.message
    const response = respond(decoded.message, { type, size: bytes.length })
    if (response === undefined) return
    const message = { ...response, type: TYPE.NON, messageId: 7, token }
    socket.send(encode(message), peer.port, peer.address)
  })

  function respond(message: MessageFields, facts: { type: number; size: number }): MessageFields | undefined {
    if (gateway.manner === 'forges') return { code: CODE.CHANGED, options: [], payload: NO_BYTES }
    const verified = verifyRequest(message, () => recipient)
    if (verified.kind !== 'verified') {
      gateway.refused++
      return verified.kind === 'refused' ? verified.refusal.response : undefined
    }
    const { request, binding, nonce } = verified
    const path = request.options
      .filter(({ number }) => number === 11)
      .map(({ value }) => `${Buffer.from(value)}`)
      .join('/')
    const hasEcho = request.options.some(({ number }) => number === 252)
    const uplink = nameUplink(decoder.decode(request.payload), 'feeder')
    if (typeof uplink === 'string') throw new Error(uplink)
    heard.push({ uplink, partialIv: binding.partialIv, path, hasEcho, ...facts })
    if (gateway.manner === 'challenges' && !hasEcho) {
      const challenge = protectChallenge(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), binding, sequence)
      return challenge.ok ? challenge.response : undefined
    }
    const numbered = numberDownlink(answer(uplink))
    const payload = numbered.size === 0 ? NO_BYTES : encoder.encode(numbered)
    return protectResponse({ code: CODE.CHANGED, options: [], payload }, nonce)
  }
  return gateway
}
