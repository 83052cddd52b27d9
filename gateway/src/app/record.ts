import type { FirmwareWord } from '@pesebre/contract/check-in'
import type { ReportedOutcome } from '@pesebre/contract/report'
import { JsonBytes } from './json-bytes.ts'

/** SQS takes no U+FFFE and U+FFFF (Amazon SQS API Reference, SendMessage); JSON can say them in escapes. */
const NOT_XML = /[\uFFFE\uFFFF]/g

/** One report as contract/src/report.ts has it: what is undefined is left out. */
export type Record = {
  readonly thing: string
  readonly type: string
  readonly seq: number
  readonly at: number
  readonly received: number
  /** As JSON that SQS takes. */
  readonly state?: Uint8Array | undefined
  readonly changed?: boolean | undefined
  readonly outcomes?: readonly ReportedOutcome[] | undefined
  readonly config_version?: number | undefined
  readonly firmware?: FirmwareWord | undefined
  readonly sent?: number | undefined
  readonly link: {
    readonly size: number
    readonly interval_s?: number | undefined
    readonly answer?: false | undefined
  }
}

const json = new JsonBytes()

/** The JSON of a report, which holds until the next one is made. `thing` comes first (contract/src/report.ts). */
export function recordOf(record: Record): Uint8Array {
  const { thing, type, seq, at, received, state, changed, outcomes, config_version, firmware, sent, link } =
    record
  // By hand: this is written for every report, and nothing in it but the state may need an escape.
  json.begin()
  json.ascii('{"thing":"')
  json.ascii(thing)
  json.ascii('","type":"')
  json.ascii(type)
  json.ascii('"')
  member(',"seq":', seq)
  json.ascii(',"at":')
  json.time(at)
  json.ascii(',"received":')
  json.time(received)
  if (state !== undefined) {
    json.ascii(',"state":')
    json.copy(state)
  }
  if (changed !== undefined) json.ascii(changed ? ',"changed":true' : ',"changed":false')
  if (outcomes !== undefined) json.ascii(`,"outcomes":${JSON.stringify(outcomes)}`)
  if (config_version !== undefined) member(',"config_version":', config_version)
  if (firmware !== undefined) json.ascii(`,"firmware":${JSON.stringify(firmware)}`)
  if (sent !== undefined) member(',"sent":', sent)
  member(',"link":{"size":', link.size)
  if (link.interval_s !== undefined) member(',"interval_s":', link.interval_s)
  if (link.answer !== undefined) json.ascii(',"answer":false')
  json.ascii('}}')
  return json.done()
}

function member(name: string, value: number): void {
  json.ascii(name)
  json.number(value)
}

/** JSON that SQS takes as it is. */
export function escapeForSqs(json: string): string {
  return json.replace(NOT_XML, (character) => (character === '\uFFFE' ? '\\ufffe' : '\\uffff'))
}
