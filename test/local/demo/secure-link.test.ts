import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { CODE } from '@pesebre/coap/codec/codes'
import { decode, encode, TYPE } from '@pesebre/coap/codec/message'
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
import t from 'tap'
import { openSequence } from '../../../local/src/demo/files.ts'
import { chooseGateway, type Gateway } from '../../../local/src/demo/gateways.ts'
import { nodeCrypto } from '../../../local/src/demo/node-crypto.ts'
import { createSecureLink } from '../../../local/src/demo/secure-link.ts'

const KID = kidOf({ kind: 'feeder', version: 1, number: 0x1a2b3c4c })
const SECRET = '000102030405060708090a0b0c0d0e0f'
const IDENTITY = {
  name: 'Test',
  thing: 'feeder-1a2b3c4c',
  number: 0x1a2b3c4c,
  kid: Buffer.from(KID).toString('hex'),
  secret: SECRET,
}
const NO_BYTES = new Uint8Array(0)
const encoder = new Encoder({ useRecords: false, mapsAsObjects: false })
const decoder = new Decoder({ useRecords: false, mapsAsObjects: false })

type Manner = 'answers' | 'challenges' | 'forges' | 'is silent'

/** A gateway of one device on a socket of its own, which behaves as the test wants. */
async function startGateway(t: Tap, id: string, answer: Downlink = {}) {
  const context = deriveSecurityContext(
    {
      masterSecret: Buffer.from(SECRET, 'hex'),
      senderId: GATEWAY_SENDER_ID,
      recipientId: KID,
      idContext: idContextOf(id),
    },
    nodeCrypto,
  )
  const recipient: RecipientContext = { context, replayWindow: new ReplayWindow() }
  const sequence = new SenderSequence(0, 1000)
  const heard: {
    uplink: Uplink | string
    partialIv: number
    type: number
    path: string
    hasEcho: boolean
  }[] = []
  const gateway = { manner: 'answers' as Manner, heard, id, host: '127.0.0.1', port: 0, refused: 0 }
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  gateway.port = socket.address().port
  t.teardown(() => socket.close())

  socket.on('message', (bytes, peer) => {
    const decoded = decode(bytes)
    if (!decoded.ok || gateway.manner === 'is silent') return
    const { type, token } = decoded.message
    const response = respond(decoded.message, type)
    if (response === undefined) return
    const message = { ...response, type: TYPE.NON, messageId: 7, token }
    socket.send(encode(message), peer.port, peer.address)
  })

  function respond(message: MessageFields, type: number): MessageFields | undefined {
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
    const hasEcho = request.options.some(({ number }) => number === 252)
    const uplink = nameUplink(decoder.decode(request.payload), 'feeder')
    heard.push({ uplink, partialIv: binding.partialIv, type, path: path.join('/'), hasEcho })
    if (gateway.manner === 'challenges' && !hasEcho) {
      const challenge = protectChallenge(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), binding, sequence)
      return challenge.ok ? challenge.response : undefined
    }
    const numbered = numberDownlink(answer)
    const payload = numbered.size === 0 ? NO_BYTES : encoder.encode(numbered)
    return protectResponse({ code: CODE.CHANGED, options: [], payload }, nonce)
  }
  return gateway
}

type Tap = { teardown(handler: () => void): void; testdir(): string }

function link(t: Tap, gateways: readonly Gateway[]) {
  const sequence = openSequence(`${t.testdir()}/sequence`)
  return createSecureLink(IDENTITY, { gateways: chooseGateway(gateways, IDENTITY.number), sequence })
}

t.test('a check-in is one NON to /u, all of it inside OSCORE, with a new Partial IV each time', async (t) => {
  const gateway = await startGateway(t, 'a', { time: 1_800_000_000, acked_upto: 7 })
  const { exchange } = link(t, [gateway])
  const uplink: Uplink = {
    state: { hopper_pct: 62, temp_c: 18.5 },
    interval_s: 5,
    clock: 0,
    outcomes: [{ n: 7, state: 'done', grams: 500, age_s: 3 }],
  }
  t.match(await exchange(uplink), { gateway: { id: 'a' }, answer: { time: 1_800_000_000, acked_upto: 7 } })
  t.match(await exchange(uplink), { answer: { acked_upto: 7 } })
  t.match(gateway.heard, [
    { uplink, partialIv: 0, type: TYPE.NON, path: 'u' },
    { uplink, partialIv: 1 },
  ])
})

t.test('a challenge is answered in the same wake, with the Echo value and another Partial IV', async (t) => {
  const gateway = await startGateway(t, 'a')
  gateway.manner = 'challenges'
  t.match(await link(t, [gateway]).exchange({ clock: 1 }), { answer: {} })
  t.match(gateway.heard, [
    { partialIv: 0, hasEcho: false },
    { partialIv: 1, hasEcho: true },
  ])
})

t.test(
  'only a verified answer counts: after a forged one, silence or a refusal the other gateway is asked',
  async (t) => {
    const a = await startGateway(t, 'a')
    const b = await startGateway(t, 'b')
    const { exchange } = link(t, [a, b])
    a.manner = 'forges'
    t.match(await exchange({ clock: 1 }), { gateway: { id: 'a' }, problem: '2.04, not-protected' })
    t.match(await exchange({ clock: 2 }), { gateway: { id: 'b' }, answer: {} })
    t.match(
      await exchange({ clock: 3 }),
      { gateway: { id: 'b' }, answer: {} },
      'it stays with the one that answers',
    )
    b.manner = 'is silent'
    t.match(await exchange({ clock: 4 }), { gateway: { id: 'b' }, problem: 'no answer' })
    a.manner = 'answers'
    t.match(await exchange({ clock: 5 }), { gateway: { id: 'a' }, answer: {} })
    t.strictSame(
      b.heard.map(({ partialIv }) => partialIv),
      [1, 2],
      'one sequence for all gateways',
    )
  },
)

t.test('each gateway has keys of its own: what was made for one is nothing to the other', async (t) => {
  const b = await startGateway(t, 'b')
  const result = await link(t, [{ id: 'a', host: b.host, port: b.port }]).exchange({ clock: 1 })
  t.match(result, { problem: '4.00, not-protected' })
  t.equal(b.refused, 1)
  t.strictSame(b.heard, [])
})
