import { readFileSync, rmSync } from 'node:fs'
import { decode } from '@pesebre/coap/codec/message'
import { verifyRequest } from '@pesebre/coap/oscore/server'
import { parseFleetKeys } from '@pesebre/contract/fleet-keys'
import t from 'tap'
import { writeFleetKeys, writeOpen, writeProtected } from '../../bench/fleet.ts'
import { createContexts } from '../../gateway/src/security/contexts.ts'
import { createNodeCrypto, hkdfExpand } from '../../gateway/src/security/node-crypto.ts'
import { createWindowsMemory, openWindows } from '../../gateway/src/security/windows.ts'

const VECTORS = new URL('../../contract/vectors/uplink.json', import.meta.url)

function datagramsOf(path: string): Uint8Array[] {
  const bytes = readFileSync(path)
  rmSync(path)
  const datagrams: Uint8Array[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = at + 2 + bytes.readUInt16BE(at)
    datagrams.push(bytes.subarray(at + 2, end))
    at = end
  }
  return datagrams
}

function messageOf(datagram: Uint8Array) {
  const decoded = decode(datagram)
  if (!decoded.ok) throw new Error(decoded.reason)
  return decoded.message
}

t.test('writeProtected: every datagram is one that the gateway takes, once', async (t) => {
  const fleetKeys = parseFleetKeys(readFileSync(writeFleetKeys(), 'utf8'), 'test')
  const path = writeProtected({
    name: `test-protected-${process.pid}`,
    devices: 3,
    first: 7,
    count: 8,
    made: 2,
  })
  const contexts = createContexts({
    fleetKeys,
    gatewayId: 'a',
    crypto: createNodeCrypto(),
    expand: hkdfExpand,
    windows: openWindows(createWindowsMemory(16, new Uint8Array(32))),
    kept: 16,
  })
  const said = datagramsOf(path).map((datagram) => {
    const message = messageOf(datagram)
    const verified = verifyRequest(message, contexts.find)
    if (verified.kind !== 'verified') throw new Error(verified.kind)
    t.ok(datagram.length <= 61, 'no longer than an ordinary check-in may be')
    t.equal(message.token.length, 4, 'a token of the length that the generator writes')
    t.equal(verifyRequest(message, contexts.find).kind, 'refused', 'a replay')
    const { recipient, binding, request } = verified
    return { from: recipient.principal, partialIv: binding.partialIv, payload: Buffer.from(request.payload) }
  })
  const first = said[0]!.partialIv
  const turns = said.map(({ from, partialIv }) => `${from.slice(-1)}:${partialIv - first}`)
  t.same(turns, ['7:0', '8:0', '9:0', '7:1', '8:1', '9:1', '7:2', '8:2'])
  const { bodies } = JSON.parse(readFileSync(VECTORS, 'utf8')) as { bodies: { name: string; cbor: string }[] }
  const ordinary = bodies.find(({ name }) => name === 'ordinary check-in')
  t.equal(said[0]!.payload.toString('hex'), ordinary?.cbor, 'the ordinary check-in of the contract')
})

t.test('writeOpen: one datagram after the other, each of the next device', async (t) => {
  const path = writeOpen({ name: `test-open-${process.pid}`, devices: 2, count: 3 })
  const paths = datagramsOf(path).map((datagram) =>
    messageOf(datagram)
      .options.filter(({ number }) => number === 11)
      .map(({ value }) => Buffer.from(value).toString())
      .join('/'),
  )
  t.same(paths, ['load/d00000', 'load/d00001', 'load/d00000'])
})
