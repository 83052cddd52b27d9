import { createHmac } from 'node:crypto'
import { changeControl } from '@pesebre/contract/commands/change'
import {
  type AdmissionPorts,
  admit,
  headerOf,
  makeIdentity,
  newestOf,
  parseGateways,
} from '@pesebre/contract/registration'
import t from 'tap'

const hmac = (key: Uint8Array, data: Uint8Array) => createHmac('sha256', key).update(data).digest()
const INPUT = {
  kind: 'feeder',
  number: 0x1a2b3c4d,
  fleetKey: { version: 2, key: new Uint8Array(32).fill(0xab) },
  name: undefined,
  gateways: [{ id: 'a', host: '127.0.0.1', port: 5683 }],
} as const

/** Control shadows in memory, and who was put into the registry. */
function fakeShadows() {
  const documents = new Map<string, { state: { desired: object }; version: number }>()
  const things: string[] = []
  const ports: AdmissionPorts = {
    change: (thing, decide) =>
      changeControl(
        {
          read: async (name) => documents.get(name),
          write: async (name, desired, version) => {
            if (documents.get(name)?.version !== version) return false
            documents.set(name, { state: { desired }, version: (version ?? 0) + 1 })
            return true
          },
          sleep: async () => {},
          random: () => 0,
        },
        thing,
        decide,
      ),
    ensureThing: async (thing) => void things.push(thing),
  }
  return { documents, things, ports }
}

t.test('makeIdentity() derives the key that OpenSSL derives', async (t) => {
  // HMAC-SHA256(key, "pesebre/oscore/1" || kid || 01), its first 16 bytes.
  t.strictSame(makeIdentity(INPUT, hmac), {
    thing: 'feeder-1a2b3c4d',
    number: 0x1a2b3c4d,
    kid: '121a2b3c4d',
    secret: '82002c0720d916571af13321bb2ebdb4',
    gateway_kid: '67',
    gateways: [{ id: 'a', host: '127.0.0.1', port: 5683 }],
  })
  t.equal(makeIdentity({ ...INPUT, name: 'Bella' }, hmac).name, 'Bella')
})

t.test('headerOf() says the same in C', async (t) => {
  const header = headerOf(makeIdentity(INPUT, hmac))
  t.match(header, '#define PESEBRE_KID { 0x12, 0x1a, 0x2b, 0x3c, 0x4d }')
  t.match(header, '#define PESEBRE_GATEWAYS { { "a", "127.0.0.1", 5683 } }')
  t.match(headerOf(makeIdentity({ ...INPUT, gateways: [] }, hmac)), '#define PESEBRE_GATEWAYS { { 0 } }')
})

t.test('newestOf() takes the highest version', async (t) => {
  const key = new Uint8Array(32)
  t.equal(newestOf(new Map([2, 11, 3].map((version) => [version, key]))).version, 11)
})

t.test('parseGateways() reads names, addresses and IPv6, and says which entry is none', async (t) => {
  t.strictSame(parseGateways('a=h.example:1, b=[2001:db8::1]:2'), {
    gateways: [
      { id: 'a', host: 'h.example', port: 1 },
      { id: 'b', host: '[2001:db8::1]', port: 2 },
    ],
  })
  t.strictSame(parseGateways('a=h:1,b'), { bad: 'b' })
})

t.test('admit() lets a device in once; a second time changes nothing', async (t) => {
  const { documents, things, ports } = fakeShadows()
  const admission = { thing: 'feeder-00000001', name: 'Bella', isChosen: false, now: Date.UTC(2026, 10, 20) }
  t.equal(await admit(ports, admission), true)
  t.strictSame(documents.get('feeder-00000001')?.state.desired, { enabled: true, name: 'Bella', queue: [] })
  t.equal(await admit(ports, { ...admission, name: 'Sol' }), false)
  t.match(documents.get('feeder-00000001')?.state.desired, { name: 'Bella' })
  t.strictSame(things, ['feeder-00000001'])
})

t.test('admit() lets somebody who was faster win', async (t) => {
  const { documents, ports } = fakeShadows()
  const thing = 'feeder-00000001'
  const slow: AdmissionPorts = {
    ...ports,
    ensureThing: async () =>
      void documents.set(thing, { state: { desired: { enabled: false } }, version: 1 }),
  }
  t.equal(await admit(slow, { thing, isChosen: false, now: 0 }), false)
  t.strictSame(documents.get(thing)?.state.desired, { enabled: false })
})

t.test('admit() counts from higher than anybody has, for a number that somebody chose', async (t) => {
  const { documents, ports } = fakeShadows()
  await admit(ports, { thing: 'feeder-00000001', isChosen: true, now: Date.UTC(2026, 0, 1, 1) })
  t.match(documents.get('feeder-00000001')?.state.desired, { next: 3600 })
})
