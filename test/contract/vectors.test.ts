/** The golden messages in contract/vectors, which the C tests read as well: they change only when the wire does. */
import { readFileSync } from 'node:fs'
import { nodeCrypto } from '@pesebre/coap/node-crypto'
import { deriveKeys } from '@pesebre/coap/oscore/key-derivation'
import type { Downlink, Uplink } from '@pesebre/contract/check-in'
import {
  GATEWAY_SENDER_ID,
  idContextOf,
  type KidKind,
  kidOf,
  masterSecretInfo,
  thingOfKid,
} from '@pesebre/contract/kid'
import { nameDownlink, nameUplink, numberDownlink, numberUplink } from '@pesebre/contract/numbered'
import { Decoder, Encoder } from 'cbor-x'
import t from 'tap'
import { downlinkBody } from '../../gateway/src/app/downlink-body.ts'
import { checkInOf } from '../../gateway/src/app/uplink-body.ts'
import { bytes, type ExchangeVector, hex, type Keys, masterSecretOf, runExchange } from './exchange.ts'

/** One 802.15.4 frame (design/wire.md section 1, Size): bytes of CoAP. */
const CHECK_IN_MAX = 61
const EMPTY_ANSWER_MAX = 24

const CBOR = 60
const JSON_FORMAT = 50

const encoder = new Encoder({ mapsAsObjects: false, useRecords: false, tagUint8Array: false })
const asMaps = new Decoder({ mapsAsObjects: false, useRecords: false })
const asObjects = new Decoder({ mapsAsObjects: true, useRecords: false })

function vectors<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../contract/vectors/${name}.json`, import.meta.url), 'utf8'))
}

t.test('kid.json: names, kids and Master Secrets', async (t) => {
  type Device = { kind: KidKind; version: number; number: number } & Record<
    'thing' | 'kid' | 'fleet_key' | 'info' | 'master_secret',
    string
  >
  const { devices, nobody } = vectors<{ devices: Device[]; nobody: { kid: string; why: string }[] }>('kid')
  for (const { kind, version, number, thing, kid, fleet_key, info, master_secret } of devices) {
    t.equal(hex(kidOf({ kind, version, number })), kid)
    t.same(thingOfKid(bytes(kid)), { thing, type: kind, version })
    t.equal(hex(masterSecretInfo(bytes(kid))), info)
    t.equal(hex(masterSecretOf(bytes(fleet_key), bytes(kid))), master_secret)
  }
  for (const { kid, why } of nobody) t.equal(thingOfKid(bytes(kid)), undefined, why)
})

t.test('uplink.json: every form of check-in, and what is refused', async (t) => {
  type Body = { name: string; kind: string; uplink: Uplink; cbor: string }
  const { bodies, leniency, refused } = vectors<{
    bodies: Body[]
    leniency: Body[]
    refused: { name: string; kind: string; cbor: string; problem: string }[]
  }>('uplink')
  for (const { name, kind, uplink, cbor } of bodies) {
    t.equal(hex(encoder.encode(numberUplink(uplink, kind))), cbor, name)
    const json = Buffer.from(JSON.stringify(uplink))
    for (const [payload, format] of [
      [bytes(cbor), CBOR],
      [json, JSON_FORMAT],
    ] as const) {
      const read = checkInOf(payload, format, { kind, arrival: 1e12 })
      const state = read.json === undefined ? uplink.state && {} : JSON.parse(`${Buffer.from(read.json)}`)
      const whole = { ...read.uplink, ...(uplink.state && { state }) }
      t.same(whole, uplink, `the gateway: ${name}`)
    }
  }
  for (const { name, kind, uplink, cbor } of [...bodies, ...leniency]) {
    t.same(nameUplink(asMaps.decode(bytes(cbor)), kind), uplink, name)
    t.same(nameUplink(asObjects.decode(bytes(cbor)), kind), uplink, name)
  }
  for (const { name, kind, cbor, problem } of refused) {
    t.equal(nameUplink(asMaps.decode(bytes(cbor)), kind), problem, name)
    t.throws(() => checkInOf(bytes(cbor), CBOR, { kind, arrival: 1e12 }), name)
  }
})

t.test('downlink.json: every form of answer, and what is refused', async (t) => {
  const { bodies, refused } = vectors<{
    bodies: { name: string; downlink: Downlink; cbor: string }[]
    refused: { name: string; cbor: string; problem: string }[]
  }>('downlink')
  for (const { name, downlink, cbor } of bodies) {
    t.equal(hex(downlinkBody(downlink, CBOR).payload ?? new Uint8Array()), cbor, `the gateway: ${name}`)
    t.same(nameDownlink(JSON.parse(JSON.stringify(downlink))), downlink, name)
    if (cbor === '') continue
    t.equal(hex(encoder.encode(numberDownlink(downlink))), cbor, name)
    t.same(nameDownlink(asMaps.decode(bytes(cbor))), downlink, name)
    t.same(nameDownlink(asObjects.decode(bytes(cbor))), downlink, name)
  }
  for (const { name, cbor, problem } of refused)
    t.equal(nameDownlink(asMaps.decode(bytes(cbor))), problem, name)
})

type CheckIn = { keys: Keys & Record<string, string>; exchanges: ExchangeVector[] }

t.test('check-in.json: the keys', async (t) => {
  const { keys } = vectors<CheckIn>('check-in')
  const masterSecret = masterSecretOf(bytes(keys.fleet_key), bytes(keys.kid))
  const senderId = bytes(keys.kid)
  const idContext = idContextOf(keys.gateway_id)
  const derived = deriveKeys(
    { masterSecret, senderId, recipientId: GATEWAY_SENDER_ID, idContext },
    nodeCrypto,
  )
  t.match(keys, {
    master_secret: hex(masterSecret),
    id_context: hex(idContext),
    gateway_sender_id: hex(GATEWAY_SENDER_ID),
    device_sender_key: hex(derived.senderKey),
    gateway_sender_key: hex(derived.recipientKey),
    common_iv: hex(derived.commonIv),
  })
})

t.test('check-in.json: the datagrams of both sides, and what each reads in the other’s', async (t) => {
  const { keys, exchanges } = vectors<CheckIn>('check-in')
  for (const vector of exchanges) {
    const { name, request, response } = vector
    const run = runExchange(keys, vector)
    t.equal(hex(run.requestDatagram), request.datagram, name)
    t.equal(hex(run.responseDatagram), response.datagram, name)
    t.equal(request.size, run.requestDatagram.length)
    t.equal(response.size, run.responseDatagram.length)
    t.equal(hex(run.request.payload), request.inner.payload)
    t.equal(hex(run.response.payload), response.inner.payload)
    t.same(nameUplink(bodyOf(run.request.payload), 'feeder'), request.uplink)
    t.same(nameDownlink(bodyOf(run.response.payload)), response.downlink)
  }
})

t.test(
  'an ordinary check-in fits one 802.15.4 frame, whatever its number; its empty answer is small',
  async (t) => {
    const { exchanges } = vectors<CheckIn>('check-in')
    const ordinary = exchanges.filter(
      ({ request }) => request.inner.payload === exchanges[0]!.request.inner.payload,
    )
    t.ok(ordinary.length >= 5)
    for (const { name, request } of ordinary) t.ok(request.size <= CHECK_IN_MAX, `${name}: ${request.size}`)
    const empty = exchanges.filter(({ response }) => response.inner.payload === '')
    t.ok(empty.length >= 4)
    for (const { name, response } of empty)
      t.ok(response.size <= EMPTY_ANSWER_MAX, `${name}: ${response.size}`)
  },
)

function bodyOf(payload: Uint8Array): unknown {
  if (payload.length === 0) return {}
  return payload[0] === 0x7b ? JSON.parse(Buffer.from(payload).toString()) : asMaps.decode(payload)
}
