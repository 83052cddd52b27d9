import type { ReportedOutcome } from '@pesebre/contract/report'
import type { State } from './state.ts'

/** SQS takes no U+FFFE and U+FFFF (Amazon SQS API Reference, SendMessage); JSON can say them in escapes. */
const NOT_XML = /[\uFFFE\uFFFF]/g

/** One report as contract/src/report.ts has it, before it is JSON: what is undefined is left out. `thing` comes first (see there). */
export type Record = {
  readonly thing: string
  readonly type: string
  readonly seq: number
  readonly at: number
  readonly received: number
  readonly state?: State | undefined
  readonly changed?: boolean | undefined
  readonly outcomes?: readonly ReportedOutcome[] | undefined
  readonly config_version?: number | undefined
  readonly sent?: number | undefined
  readonly link: {
    readonly size: number
    readonly interval_s?: number | undefined
    readonly answer?: false | undefined
  }
}

/** The journal line of a report. */
export function recordOf(record: Record): string {
  return escapeForSqs(JSON.stringify(record))
}

/** JSON that SQS takes as it is. */
export function escapeForSqs(json: string): string {
  return json.replace(NOT_XML, (character) => (character === '\uFFFE' ? '\\ufffe' : '\\uffff'))
}
