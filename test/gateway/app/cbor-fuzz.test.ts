import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { CODE } from '@pesebre/coap/codec/codes'
import t from 'tap'
import { samplesOf } from '../../../gateway/src/app/body.ts'
import { decodeCbor } from '../../../gateway/src/app/cbor.ts'
import { Refusal } from '../../../gateway/src/app/refusal.ts'
import { generator, mutate } from '../../fakes/mutations.ts'
import { canonical, readCbor } from './cbor-reference.ts'

const CORPUS = fileURLToPath(new URL('./corpus/', import.meta.url))
const MUTATIONS = Number(process.env['PESEBRE_TEST_RUNS'] ?? 60_000)
const SEED = 0x5eed
const NOW = 1_700_000_000_000
const corpus = readdirSync(CORPUS)
  .sort()
  .map((name) => ({ name, bytes: readFileSync(CORPUS + name) }))
const seeds = corpus.map(({ bytes }) => bytes)

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
    const bytes = mutate(seeds, draw)
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
