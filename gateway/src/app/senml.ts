import { CODE } from '@pesebre/coap/codec/codes'
import { Refusal } from './refusal.ts'
import { type Json, type State, safeNumber } from './state.ts'

/** RFC 8428 section 4.5.3: a time below 2^28 is relative to now, in seconds. */
const ABSOLUTE_FROM = 2 ** 28

/** The version that RFC 8428 defines (section 4.1). */
const VERSION = 10

/** As many as a state may have members: a bound on the reports that one request can make. */
const RECORDS_MAX = 512

/** RFC 8428 section 4.5.1. */
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9:./_-]*$/

/** RFC 8428 section 6, table 4: labels of the CBOR form, as the keys that integers become. */
export const CBOR_LABELS: ReadonlyMap<string, string> = new Map([
  ['-1', 'bver'],
  ['-2', 'bn'],
  ['-3', 'bt'],
  ['-4', 'bu'],
  ['-5', 'bv'],
  ['-6', 'bs'],
  ['0', 'n'],
  ['1', 'u'],
  ['2', 'v'],
  ['3', 'vs'],
  ['4', 'vb'],
  ['5', 's'],
  ['6', 't'],
  ['7', 'ut'],
  ['8', 'vd'],
])
const NO_LABELS: ReadonlyMap<string, string> = new Map()

/** What was measured at one instant. `at` in milliseconds since 1970. */
export type Sample = { at: number; state: State }

type Base = { bn: string; bt: number; bu: string; bv: number; bs: number | undefined }
type Fields = Map<string, unknown>
/** One record with the base fields applied (section 4.6): its value, its sum, or both. */
type Resolved = { name: string; unit: string; at: number; value: Json | undefined; sum: number | undefined }

/**
 * Resolves a SenML pack (RFC 8428 section 4.6): base fields applied, relative times taken against `arrival`
 * (milliseconds since 1970). Records of one instant become one sample; samples come oldest first.
 * A sum is named `<name>.sum` where a value stands beside it. A name that the pack measures in several units (as the
 * example in section 5.1.3 does) carries the unit: `<name>.<unit>`. `labels` translates the keys of the CBOR form.
 */
export function resolveSenml(pack: unknown, arrival: number, labels = NO_LABELS): Sample[] {
  if (!Array.isArray(pack)) throw new Refusal(CODE.BAD_REQUEST, 'SenML pack must be an array')
  if (pack.length > RECORDS_MAX) throw new Refusal(CODE.BAD_REQUEST, `More than ${RECORDS_MAX} SenML records`)
  const records = resolveRecords(pack, arrival, labels)
  if (records.length === 0) throw new Refusal(CODE.BAD_REQUEST, 'SenML pack has no values')
  const units = new Map<string, Set<string>>()
  for (const { name, unit } of records) units.set(name, (units.get(name) ?? new Set()).add(unit))
  const samples = new Map<number, State>()
  for (const { name, unit, at, value, sum } of records) {
    const state = samples.get(at) ?? {}
    const key = units.get(name)!.size > 1 && unit !== '' ? `${name}.${unit}` : name
    if (value !== undefined) state[key] = value
    if (sum !== undefined) state[value === undefined ? key : `${key}.sum`] = sum
    samples.set(at, state)
  }
  return [...samples].sort(([a], [b]) => a - b).map(([at, state]) => ({ at, state }))
}

function resolveRecords(pack: unknown[], arrival: number, labels: ReadonlyMap<string, string>): Resolved[] {
  let base: Base = { bn: '', bt: 0, bu: '', bv: 0, bs: undefined }
  const records: Resolved[] = []
  for (const [i, raw] of pack.entries()) {
    const fields = labelled(raw, i, labels)
    base = {
      bn: text(fields, 'bn', i) ?? base.bn,
      bt: number(fields, 'bt', i) ?? base.bt,
      bu: text(fields, 'bu', i) ?? base.bu,
      bv: number(fields, 'bv', i) ?? base.bv,
      bs: number(fields, 'bs', i) ?? base.bs,
    }
    const value = singleValue(fields, base, i)
    const s = number(fields, 's', i)
    // Section 4.5.4: of a base sum and a sum, the missing one counts as zero.
    const sum =
      s !== undefined || (value !== undefined && base.bs !== undefined)
        ? (base.bs ?? 0) + (s ?? 0)
        : undefined
    // A record may hold nothing but base fields, for those after it.
    if (value === undefined && sum === undefined) continue
    const name = base.bn + (text(fields, 'n', i) ?? '')
    if (!NAME.test(name)) throw bad(i, `has the name "${name}"`)
    const at = instant(base.bt + (number(fields, 't', i) ?? 0), arrival, i)
    records.push({ name, unit: text(fields, 'u', i) ?? base.bu, at, value, sum })
  }
  return records
}

function labelled(raw: unknown, i: number, labels: ReadonlyMap<string, string>): Fields {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw) || raw instanceof Uint8Array)
    throw bad(i, 'is not a map')
  const fields: Fields = new Map()
  for (const [key, value] of Object.entries(raw)) {
    const label = labels.get(key) ?? key
    if (fields.has(label)) throw bad(i, `has "${label}" twice`)
    // RFC 8428 section 4.4: other unknown fields are ignored, but these must be understood.
    if (label.endsWith('_')) throw bad(i, `has the unknown field "${label}"`)
    fields.set(label, value)
  }
  const version = number(fields, 'bver', i)
  // Section 4.4: a lower one can be read; the RFC's own examples carry 5.
  if (version !== undefined && !(Number.isInteger(version) && version > 0 && version <= VERSION))
    throw bad(i, `has version ${version}: above ${VERSION}`)
  return fields
}

/** The one value of a record, undefined if it has none. */
function singleValue(fields: Fields, base: Base, i: number): Json | undefined {
  const values: Json[] = []
  const v = number(fields, 'v', i)
  if (v !== undefined) values.push(base.bv + v)
  const vs = text(fields, 'vs', i)
  if (vs !== undefined) values.push(vs)
  const vb = fields.get('vb')
  if (vb !== undefined) {
    if (typeof vb !== 'boolean') throw bad(i, 'has a "vb" that is not a boolean')
    values.push(vb)
  }
  const vd = fields.get('vd')
  if (vd !== undefined) values.push(dataOf(vd, i))
  if (values.length > 1) throw bad(i, 'has more than one value')
  // Section 4.5.4: of a base value and a value, the missing one counts as zero.
  if (values.length === 0 && fields.has('bv') && fields.has('n')) return base.bv
  return values[0]
}

/** Milliseconds since 1970 of a SenML time in seconds. */
function instant(time: number, arrival: number, i: number): number {
  const at = Math.round(time < ABSOLUTE_FROM ? arrival + time * 1000 : time * 1000)
  if (at >= 0 && Number.isSafeInteger(at)) return at
  throw bad(i, at < 0 ? 'has a time before 1970' : 'has a time beyond every clock')
}

function dataOf(vd: unknown, i: number): string {
  if (typeof vd === 'string') return vd
  if (vd instanceof Uint8Array) return Buffer.from(vd.buffer, vd.byteOffset, vd.length).toString('base64url')
  throw bad(i, 'has a "vd" that is not data')
}

function number(fields: Fields, label: string, i: number): number | undefined {
  const value = fields.get(label)
  if (value === undefined) return undefined
  if (typeof value === 'bigint') return safeNumber(value)
  if (typeof value === 'number' && Number.isFinite(value)) return value
  throw bad(i, `has a "${label}" that is not a number`)
}

function text(fields: Fields, label: string, i: number): string | undefined {
  const value = fields.get(label)
  if (value === undefined || typeof value === 'string') return value
  throw bad(i, `has a "${label}" that is not text`)
}

function bad(index: number, what: string): Refusal {
  return new Refusal(CODE.BAD_REQUEST, `SenML record ${index} ${what}`)
}
