import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { CODE } from '@pesebre/coap/codec/codes'
import t from 'tap'
import { samplesOf } from '../../../gateway/src/app/body.ts'
import { decodeCbor } from '../../../gateway/src/app/cbor.ts'
import { Refusal } from '../../../gateway/src/app/refusal.ts'
import { canonical, readCbor } from './cbor-reference.ts'

const CORPUS = fileURLToPath(new URL('./corpus/', import.meta.url))
const MUTATIONS = Number(process.env['PESEBRE_TEST_RUNS'] ?? 60_000)
const SEED = 0x5eed
const NOW = 1_700_000_000_000
/** Bytes at which a decoder turns: lengths, indefinite lengths, breaks, tags, floats, the ends of UTF-8. */
const TURNS = [
  0, 1, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1f, 0x3b, 0x40, 0x5b, 0x5f, 0x60, 0x61, 0x7b, 0x7f, 0x80, 0x81,
].concat([
  0x9b, 0x9f, 0xa0, 0xa1, 0xbb, 0xbf, 0xc0, 0xd9, 0xdb, 0xe0, 0xf4, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xff,
])

const corpus = readdirSync(CORPUS)
  .sort()
  .map((name) => ({ name, bytes: readFileSync(CORPUS + name) }))

/** A small generator (mulberry32), so that a find can be made again from the seed alone. */
function generator(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

function mutate(bytes: Buffer, draw: (below: number) => number): Buffer {
  let made = Buffer.from(bytes)
  for (let step = draw(4); step >= 0; step--) {
    const at = draw(made.length + 1)
    const turn = TURNS[draw(TURNS.length)]!
    switch (draw(7)) {
      case 0:
        if (at < made.length) made[at]! ^= 1 << draw(8)
        break
      case 1:
        if (at < made.length) made[at] = turn
        break
      case 2:
        made = Buffer.concat([made.subarray(0, at), Buffer.of(turn), made.subarray(at)])
        break
      case 3:
        made = Buffer.concat([made.subarray(0, at), made.subarray(at + 1 + draw(4))])
        break
      case 4:
        made = made.subarray(0, at)
        break
      case 5: {
        const again = made.subarray(at, at + 1 + draw(16))
        made = Buffer.concat([made.subarray(0, at), again, made.subarray(at)])
        break
      }
      default: {
        const other = corpus[draw(corpus.length)]!.bytes
        made = Buffer.concat([made.subarray(0, at), other.subarray(draw(other.length + 1))])
      }
    }
  }
  return made
}

/** What is wrong with how `bytes` is taken, or undefined. */
function fault(bytes: Buffer): string | undefined {
  const wanted = readCbor(bytes)
  let got: string | undefined
  try {
    got = canonical(decodeCbor(bytes).value)
  } catch (error) {
    if (!isRefusal(error)) return `decodeCbor threw ${String(error)}`
  }
  if (got !== wanted) return `read as ${got}, not as ${wanted}`
  for (const format of [60, 112, undefined]) {
    try {
      for (const { at, state } of samplesOf(bytes, format, NOW)) {
        if (!Number.isSafeInteger(at) || at < 0) return `at ${at}`
        const text = JSON.stringify(state)
        if (JSON.stringify(JSON.parse(text)) !== text) return `JSON cannot hold ${text}`
      }
    } catch (error) {
      if (!isRefusal(error)) return `samplesOf as ${format} threw ${String(error)}`
    }
  }
  return undefined
}

function isRefusal(error: unknown): boolean {
  if (!(error instanceof Refusal)) return false
  return error.code === CODE.BAD_REQUEST || error.code === CODE.UNSUPPORTED_CONTENT_FORMAT
}

t.test(
  'decodeCbor() and samplesOf() take every file of the corpus as an independent reader does',
  async (t) => {
    for (const { name, bytes } of corpus) t.equal(fault(bytes), undefined, name)
  },
)

t.test(`decodeCbor() and samplesOf() throw nothing but a Refusal: ${MUTATIONS} mutations`, async (t) => {
  const draw = generator(SEED)
  let slowest = 0
  let accepted = 0
  for (let run = 0; run < MUTATIONS; run++) {
    const bytes = mutate(corpus[draw(corpus.length)]!.bytes, draw)
    const began = performance.now()
    const found = fault(bytes)
    slowest = Math.max(slowest, performance.now() - began)
    if (found !== undefined) {
      t.fail(`run ${run}: ${bytes.toString('hex')}: ${found}`)
      return
    }
    if (readCbor(bytes) !== undefined) accepted++
  }
  t.comment(`slowest ${slowest.toFixed(1)} ms, accepted ${accepted}`)
  // Far above what a busy machine adds: a count that is trusted would take minutes, or all memory.
  t.ok(slowest < 2000, 'none takes long')
  t.ok(accepted > MUTATIONS / 20, 'the mutations reach behind the checks')
})
