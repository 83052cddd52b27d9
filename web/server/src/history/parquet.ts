import { type ReportedOutcome, ReportSchema } from '@pesebre/contract/report'
import { parquetReadObjects } from 'hyparquet'
import Value from 'typebox/value'

/** A row of the archive (contract/src/archive.ts), as far as the index needs it. */
export type ArchivedReport = {
  readonly thing: string
  readonly type: string
  readonly seq: number
  /** Milliseconds since 1970. */
  readonly at: number
  readonly received: number
  readonly interval_s: number | null
  /** The measurements; `{}` if the report had none. */
  readonly state: unknown
  /** What had become of commands and meals; empty if it said nothing of them, or nothing that anybody understands. */
  readonly outcomes: readonly ReportedOutcome[]
}

const COLUMNS = ['thing', 'type', 'seq', 'at', 'received', 'interval_s', 'state', 'outcomes']

/** Reads an object of the archive. Rejects when it is no Parquet file with these columns. */
export async function readArchived(bytes: Uint8Array): Promise<ArchivedReport[]> {
  const file = bytes.slice().buffer
  const rows = await parquetReadObjects({ file, columns: COLUMNS })
  return rows.map(reportOf)
}

function reportOf(row: Record<string, unknown>): ArchivedReport {
  const { thing, type, seq, at, received, interval_s, state, outcomes } = row
  const isSound =
    typeof thing === 'string' &&
    typeof type === 'string' &&
    typeof seq === 'bigint' &&
    at instanceof Date &&
    received instanceof Date
  if (!isSound)
    throw new Error('Cannot read an object of the archive: a row without thing, type, seq or times')
  return {
    thing,
    type,
    seq: Number(seq),
    at: at.getTime(),
    received: received.getTime(),
    interval_s: typeof interval_s === 'number' ? interval_s : null,
    state: typeof state === 'string' ? JSON.parse(state) : {},
    outcomes: typeof outcomes === 'string' ? outcomesOf(JSON.parse(outcomes)) : [],
  }
}

function outcomesOf(value: unknown): readonly ReportedOutcome[] {
  return Value.Check(ReportSchema.properties.outcomes, value) ? (value ?? []) : []
}
