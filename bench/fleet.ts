import { closeSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { METHOD } from '@pesebre/coap/codec/codes'
import { CONTENT_FORMAT } from '@pesebre/coap/codec/content-formats'
import { encode, type Option, TYPE } from '@pesebre/coap/codec/message'
import { OPTION } from '@pesebre/coap/codec/options'
import { protectRequest, type SenderContext } from '@pesebre/coap/oscore/client'
import { deriveSecurityContext } from '@pesebre/coap/oscore/context'
import { SEQUENCE_END, SenderSequence } from '@pesebre/coap/oscore/sender-sequence'
import type { Uplink } from '@pesebre/contract/check-in'
import {
  GATEWAY_SENDER_ID,
  idContextOf,
  kidOf,
  MASTER_SECRET_BYTES,
  masterSecretInfo,
} from '@pesebre/contract/kid'
import { numberUplink } from '@pesebre/contract/numbered'
import { Encoder } from 'cbor-x'
import { createNodeCrypto, hkdfExpand } from '../gateway/src/security/node-crypto.ts'
import { BUILD } from './processes.ts'

/** Which check-ins a file holds: the devices take turns, so that one's Partial IVs rise and are far apart. */
export type Fleet = {
  /** File name under BUILD. */
  name: string
  devices: number
  /** Number of the first device. */
  first?: number
  /** Check-ins of all devices together. */
  count: number
  /** Check-ins that each device has made before; default none. */
  made?: number
}

/** Devices that take turns in an ordinary load of check-ins. */
export const DEVICES = 1000
/** More check-ins than a gateway on one core can take: a run must not end with its file. */
export const PER_SECOND_MAX = 60_000

const FLEET_KEY = Buffer.alloc(32, 7)
const VERSION = 1
/** The id of a gateway that is given none. */
const GATEWAY_ID = 'a'
/** As long as the generator's; it writes its own into it, which OSCORE does not protect. */
const TOKEN = new Uint8Array(4)
/** That of a device after some months: three bytes, as in contract/vectors/check-in.json. */
const FIRST_PARTIAL_IV = 74_565
const CHUNK_BYTES = 1 << 20

/** The ordinary check-in of contract/vectors/uplink.json. */
const UPLINK: Uplink = {
  state: {
    hopper_pct: 63,
    battery_mv: 3912,
    temp_c: -4.5,
    rssi_dbm: -67,
    fed_g_today: 4500,
    jams: 0,
  },
  interval_s: 300,
  config_version: 7,
}
/** Of cbor-x: 4 bytes for a number that they hold. */
const FLOAT32_WHERE_EXACT = 4
const cbor = new Encoder({ mapsAsObjects: false, useRecords: false })
const plainCbor = new Encoder({ useRecords: false, variableMapSize: true, useFloat32: FLOAT32_WHERE_EXACT })
const crypto = createNodeCrypto()
const CBOR_FORMAT: Option = {
  number: OPTION.CONTENT_FORMAT,
  value: Uint8Array.of(CONTENT_FORMAT.CBOR),
}

/** Writes the fleet keys that the protected check-ins are made with. Returns the path. */
export function writeFleetKeys(): string {
  mkdirSync(BUILD, { recursive: true })
  const path = `${BUILD}fleet-keys.json`
  writeFileSync(path, JSON.stringify({ [VERSION]: FLEET_KEY.toString('hex') }), { mode: 0o600 })
  return path
}

/** Writes protected check-ins (POST /u, confirmable) for the generator's -f. Returns the path. */
export function writeProtected({ name, devices, first = 0, count, made: before = 0 }: Fleet): string {
  const payload = cbor.encode(numberUplink(UPLINK, 'feeder'))
  const options = [{ number: OPTION.URI_PATH, value: Buffer.from('u') }, CBOR_FORMAT]
  const senders = Array.from({ length: devices }, (_, i) => senderOf(first + i, FIRST_PARTIAL_IV + before))
  return writeDatagrams(name, count, (n) => {
    const made = protectRequest({ code: METHOD.POST, options, payload }, senders[n % devices]!)
    if (!made.ok) throw new Error(`Could not make a check-in: ${made.reason}`)
    return encode({ type: TYPE.CON, messageId: 0, token: TOKEN, ...made.request })
  })
}

/** Writes the same state in the open form (POST /load/<thing>, confirmable), its fields by name. Returns the path. */
export function writeOpen({ name, devices, first = 0, count }: Fleet): string {
  const payload = plainCbor.encode(UPLINK.state)
  const datagrams = Array.from({ length: devices }, (_, i) => {
    const thing = `d${String(first + i).padStart(5, '0')}`
    const path = ['load', thing].map((text) => ({ number: OPTION.URI_PATH, value: Buffer.from(text) }))
    const options = [...path, CBOR_FORMAT]
    return encode({ type: TYPE.CON, code: METHOD.POST, messageId: 0, token: TOKEN, options, payload })
  })
  return writeDatagrams(name, count, (n) => datagrams[n % devices]!)
}

function senderOf(number: number, next: number): SenderContext {
  const kid = kidOf({ kind: 'feeder', version: VERSION, number })
  const masterSecret = hkdfExpand(FLEET_KEY, masterSecretInfo(kid), MASTER_SECRET_BYTES)
  const ids = { senderId: kid, recipientId: GATEWAY_SENDER_ID, idContext: idContextOf(GATEWAY_ID) }
  return {
    context: deriveSecurityContext({ masterSecret, ...ids }, crypto),
    sequence: new SenderSequence(next, SEQUENCE_END),
  }
}

function writeDatagrams(name: string, count: number, make: (n: number) => Uint8Array): string {
  mkdirSync(BUILD, { recursive: true })
  const path = `${BUILD}${name}`
  // They are tens of megabytes, and made anew each time.
  process.once('exit', () => rmSync(path, { force: true }))
  const file = openSync(path, 'w')
  const chunk = Buffer.alloc(CHUNK_BYTES)
  let end = 0
  for (let n = 0; n < count; n++) {
    const datagram = make(n)
    if (end + 2 + datagram.length > chunk.length) {
      writeSync(file, chunk, 0, end)
      end = 0
    }
    end = chunk.writeUInt16BE(datagram.length, end)
    chunk.set(datagram, end)
    end += datagram.length
  }
  writeSync(file, chunk, 0, end)
  closeSync(file)
  return path
}
