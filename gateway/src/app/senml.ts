import { CODE } from '@pesebre/coap/codec/codes'
import { Refusal } from './refusal.ts'
import type { Json, State } from './state.ts'

/** RFC 8428 section 4.5.3: a time below 2^28 is relative to now, in seconds. */
const ABSOLUTE_FROM = 2 ** 28

/** RFC 8428 section 6, table 4: labels of the CBOR form. */
const CBOR_LABELS: Record<string, string> = {
  '-1': 'bver',
  '-2': 'bn',
  '-3': 'bt',
  '-4': 'bu',
  '-5': 'bv',
  '-6': 'bs',
  '0': 'n',
  '1': 'u',
  '2': 'v',
  '3': 'vs',
  '4': 'vb',
  '5': 's',
  '6': 't',
  '7': 'ut',
  '8': 'vd',
}
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9:./_-]*$/
const VERSION = 10

/** What was measured at one instant. `at` in milliseconds since 1970. */
export type Sample = { at: number; state: State }

type Base = { bn: string; bt: number; bv: number; bs: number }

/**
 * Resolves a SenML pack (RFC 8428 section 4.6): base fields applied, relative times taken against `arrival`
 * (milliseconds since 1970). Records of one instant become one sample; samples come oldest first.
 * A sum without a value is named `<name>.sum`, as a value may stand beside it.
 */
export function resolveSenml(pack: unknown, arrival: number): Sample[] {
  if (!Array.isArray(pack)) throw new Refusal(CODE.BAD_REQUEST, 'SenML pack must be an array')
  let base: Base = { bn: '', bt: 0, bv: 0, bs: 0 }
  const samples = new Map<number, State>()
  for (const [i, raw] of pack.entries()) {
    if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) throw bad(i, 'is not a map')
    const record = labelled(raw as Record<string, unknown>, i)
    base = {
      bn: text(record, 'bn', i) ?? base.bn,
      bt: number(record, 'bt', i) ?? base.bt,
      bv: number(record, 'bv', i) ?? base.bv,
      bs: number(record, 'bs', i) ?? base.bs,
    }
    const values = valuesOf(record, base, i)
    if (values.length === 0) continue
    const name = base.bn + (text(record, 'n', i) ?? '')
    if (!NAME.test(name)) throw bad(i, `has the name "${name}"`)
    const time = base.bt + (number(record, 't', i) ?? 0)
    const at = Math.round(time < ABSOLUTE_FROM ? arrival + time * 1000 : time * 1000)
    if (at < 0) throw bad(i, 'has a time before 1970')
    const state = samples.get(at) ?? {}
    for (const [suffix, value] of values) state[name + suffix] = value
    samples.set(at, state)
  }
  if (samples.size === 0) throw new Refusal(CODE.BAD_REQUEST, 'SenML pack has no values')
  return [...samples].sort(([a], [b]) => a - b).map(([at, state]) => ({ at, state }))
}

function labelled(raw: Record<string, unknown>, i: number): Record<string, unknown> {
  const record: Record<string, unknown> = {}
  for (const [label, value] of Object.entries(raw)) record[CBOR_LABELS[label] ?? label] = value
  const version = record['bver']
  if (version !== undefined && version !== VERSION)
    throw bad(i, `has version ${String(version)}, not ${VERSION}`)
  // RFC 8428 section 4.4: a label that ends in "_" must be understood.
  const unknown = Object.keys(record).find((label) => label.endsWith('_'))
  if (unknown !== undefined) throw bad(i, `has the unknown field "${unknown}"`)
  return record
}

function valuesOf(record: Record<string, unknown>, base: Base, i: number): [suffix: string, value: Json][] {
  const values: [string, Json][] = []
  const v = number(record, 'v', i)
  if (v !== undefined) values.push(['', base.bv + v])
  const vs = text(record, 'vs', i)
  if (vs !== undefined) values.push(['', vs])
  const vb = record['vb']
  if (vb !== undefined) {
    if (typeof vb !== 'boolean') throw bad(i, 'has a "vb" that is not a boolean')
    values.push(['', vb])
  }
  const vd = record['vd']
  if (vd !== undefined) values.push(['', dataOf(vd, i)])
  if (values.length > 1) throw bad(i, 'has more than one value')
  const s = number(record, 's', i)
  if (s !== undefined) values.push([values.length === 0 ? '' : '.sum', base.bs + s])
  // Section 4.2: a record may leave the value out if it gives a base value; that is then its value.
  if (values.length === 0 && typeof record['bv'] === 'number' && record['n'] !== undefined)
    values.push(['', base.bv])
  return values
}

function dataOf(vd: unknown, i: number): string {
  if (typeof vd === 'string') return vd
  if (vd instanceof Uint8Array) return Buffer.from(vd.buffer, vd.byteOffset, vd.length).toString('base64url')
  throw bad(i, 'has a "vd" that is not data')
}

function number(record: Record<string, unknown>, label: string, i: number): number | undefined {
  const value = record[label]
  if (value === undefined) return undefined
  if (typeof value === 'number' && Number.isFinite(value)) return value
  throw bad(i, `has a "${label}" that is not a number`)
}

function text(record: Record<string, unknown>, label: string, i: number): string | undefined {
  const value = record[label]
  if (value === undefined || typeof value === 'string') return value
  throw bad(i, `has a "${label}" that is not text`)
}

function bad(index: number, what: string): Refusal {
  return new Refusal(CODE.BAD_REQUEST, `SenML record ${index} ${what}`)
}
