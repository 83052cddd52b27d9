import type { FirmwareWord } from '@pesebre/contract/check-in'
import type { ReportedOutcome } from '@pesebre/contract/report'

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
  readonly state?: string | undefined
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

/** The journal line of a report. `thing` comes first (contract/src/report.ts). */
export function recordOf(record: Record): string {
  const { thing, type, seq, at, received, state, changed, outcomes, config_version, firmware, sent, link } =
    record
  // By hand: this is written for every report, and nothing in it but the state may need an escape.
  let json = `{"thing":"${thing}","type":"${type}","seq":${seq},"at":${at},"received":${received}`
  if (state !== undefined) json += `,"state":${state}`
  if (changed !== undefined) json += `,"changed":${changed}`
  if (outcomes !== undefined) json += `,"outcomes":${JSON.stringify(outcomes)}`
  if (config_version !== undefined) json += `,"config_version":${config_version}`
  if (firmware !== undefined) json += `,"firmware":${JSON.stringify(firmware)}`
  if (sent !== undefined) json += `,"sent":${sent}`
  json += `,"link":{"size":${link.size}`
  if (link.interval_s !== undefined) json += `,"interval_s":${link.interval_s}`
  if (link.answer !== undefined) json += `,"answer":${link.answer}`
  return `${json}}}`
}

/** JSON that SQS takes as it is. */
export function escapeForSqs(json: string): string {
  return json.replace(NOT_XML, (character) => (character === '\uFFFE' ? '\\ufffe' : '\\uffff'))
}
