import { readdirSync, readFileSync } from 'node:fs'
import { parseLinks } from '@pesebre/coap/codec/link-format'
import { decode, encode } from '@pesebre/coap/codec/message'
import { createEndpoint } from '@pesebre/coap/endpoint/endpoint'
import t from 'tap'
import { bytes, hex, seedOf, total } from './endpoint/harness.ts'
import { generator } from './endpoint/network.ts'
import { World } from './world.ts'

/** Mutations in one run, and the seed that fixes them: a find is repeated with its seed, and its datagram goes into the corpus. */
const RUNS = Number(process.env['PESEBRE_FUZZ_RUNS'] ?? 200_000)
const SEED = Number(process.env['PESEBRE_FUZZ_SEED'] ?? 1)

const directory = new URL('corpus/', import.meta.url)
const corpus = readdirSync(directory)
  .filter((name) => name.endsWith('.txt'))
  .flatMap((name) => readFileSync(new URL(name, directory), 'utf8').trim().split('\n'))
  .map((line) => ({ name: line.slice(0, line.indexOf(':')), data: bytes(line.slice(line.indexOf(':') + 1)) }))

/** Numbers that decoders get wrong. */
const edges = [
  0, 1, 0x0c, 0x0d, 0x0e, 0x0f, 0x40, 0x50, 0x60, 0x70, 0x7f, 0x80, 0xd0, 0xdd, 0xe0, 0xee, 0xf0, 0xff,
]

function mutate(random: () => number): Uint8Array {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!
  let data = [...pick(corpus).data]
  for (let changes = 1 + random() * 4; changes > 0; changes--) {
    const at = Math.floor(random() * (data.length + 1))
    const kind = Math.floor(random() * 6)
    if (kind === 0) data[at] = Math.floor(random() * 256)
    else if (kind === 1) data[at] = pick(edges)
    else if (kind === 2) data.splice(at, Math.ceil(random() * 8))
    else if (kind === 3) data.splice(at, 0, pick(edges))
    else if (kind === 4) data = [...data.slice(0, at), ...pick(corpus).data.slice(Math.floor(random() * 12))]
    else data.splice(at, 0, ...new Array(Math.floor(random() * 40)).fill(pick(edges)))
  }
  return Uint8Array.from(data, (byte) => byte ?? 0)
}

t.test('every datagram of the corpus is told apart as its name says', (t) => {
  const endpoint = createEndpoint({ seed: seedOf(1) })
  for (const { name, data } of corpus) {
    const before = total(endpoint.counters)
    endpoint.receive(data, { address: '192.0.2.1', port: 5000 }, 0)
    t.equal(total(endpoint.counters), before + 1, name)
  }
  t.ok(endpoint.counters.request > 10)
  t.end()
})

t.test(`decode(): ${RUNS} mutations, seed ${SEED}`, (t) => {
  const random = generator(SEED)
  let taken = 0
  for (let n = 0; n < RUNS; n++) {
    const data = mutate(random)
    const decoded = decode(data)
    if (!decoded.ok) continue
    taken++
    if (hex(encode(decoded.message)) !== hex(data)) return t.fail(`encoded otherwise: ${hex(data)}`)
  }
  t.ok(taken > RUNS / 20, `${taken} of them are messages`)
  t.end()
})

t.test(`receive(): ${RUNS} mutations in one endpoint, seed ${SEED}`, (t) => {
  const random = generator(SEED + 1)
  const endpoint = createEndpoint({
    seed: seedOf(SEED),
    exchangesMax: 1 << 12,
    answerBytesMax: 1 << 16,
    pendingMax: 100,
    uploadsMax: 20,
    observersMax: 20,
    downloadBytesMax: 1 << 16,
    transmissionsMax: 50,
    callsMax: 20,
  })
  const world = new World(endpoint, random)
  for (let n = 0; n < RUNS; n++) {
    const data = mutate(random)
    try {
      world.step(data)
    } catch (error) {
      return t.fail(`seed ${SEED}, run ${n}: ${error} on ${hex(data)}`)
    }
  }
  t.equal(total(endpoint.counters), world.received)
  t.ok(world.requests > RUNS / 50, `${world.requests} requests`)
  const sizes = endpoint.sizes()
  t.ok(sizes.pending <= 100 && sizes.uploads <= 20 && sizes.observers <= 20 && sizes.transmissions <= 50)
  t.end()
})

t.test('parseLinks(): mutations of a document', (t) => {
  const random = generator(SEED + 2)
  const document = '</a>;rt="one two";ct=40;obs,</b>;title="x\\"y",<c>;if=z'
  for (let n = 0; n < RUNS / 10; n++) {
    const letters = [...document]
    for (let change = 0; change < 3; change++) {
      letters[Math.floor(random() * letters.length)] = '<>;,="\\ a'.charAt(Math.floor(random() * 9))
    }
    parseLinks(letters.join(''))
  }
  t.pass('it ends and does not throw')
  t.end()
})
