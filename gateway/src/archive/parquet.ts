import { ARCHIVE_COLUMNS, type ArchiveColumn } from '@pesebre/contract/archive'
import type { Report } from '@pesebre/contract/report'
import { ByteWriter, ParquetWriter, type SchemaElement } from 'hyparquet-writer'

/**
 * Reports in one row group. Memory is the reason: each value of a group is an object of its own until the group is written, and an
 * object of 5 MB has some 17,000 reports.
 */
const GROUP_ROWS = 2048

type ColumnName = (typeof ARCHIVE_COLUMNS)[number]['name']
type Value = string | number | bigint | boolean | null

/** Makes a Parquet file (Snappy) of reports, one row each, in the columns of contract/src/archive.ts. */
export function toParquet(reports: Iterable<Report>): Uint8Array {
  const writer = new ByteWriter()
  const file = new ParquetWriter({ writer, schema: SCHEMA, createdBy: 'pesebre' })
  let columns = emptyColumns()
  let rows = 0
  for (const report of reports) {
    const row = rowOf(report)
    for (const { name, data } of columns) data.push(row[name])
    if (++rows === GROUP_ROWS) flush()
  }
  flush()
  void file.finish()
  return new Uint8Array(writer.getBuffer())

  function flush(): void {
    if (rows > 0) void file.write({ columnData: columns, rowGroupSize: GROUP_ROWS })
    columns = emptyColumns()
    rows = 0
  }
}

function emptyColumns(): { name: ColumnName; data: Value[] }[] {
  return ARCHIVE_COLUMNS.map(({ name }) => ({ name, data: [] }))
}

const SCHEMA: SchemaElement[] = [
  { name: 'report', num_children: ARCHIVE_COLUMNS.length },
  ...ARCHIVE_COLUMNS.map(elementOf),
]

function elementOf({ name, type, nullable }: ArchiveColumn): SchemaElement {
  const repetition_type = nullable ? 'OPTIONAL' : 'REQUIRED'
  switch (type) {
    case 'text':
      return { name, repetition_type, type: 'BYTE_ARRAY', converted_type: 'UTF8' }
    case 'time':
      // INT64 with TIMESTAMP_MILLIS: what Athena and DuckDB read as a timestamp (parquet-format, LogicalTypes.md).
      return { name, repetition_type, type: 'INT64', converted_type: 'TIMESTAMP_MILLIS' }
    case 'int64':
      return { name, repetition_type, type: 'INT64' }
    case 'int32':
      return { name, repetition_type, type: 'INT32' }
    case 'boolean':
      return { name, repetition_type, type: 'BOOLEAN' }
  }
}

function rowOf(report: Report): Record<ColumnName, Value> {
  const { thing, type, seq, at, received, state, changed, outcomes, config_version, sent, link, ...rest } =
    report
  const { size, interval_s, answer, ...linkRest } = link ?? {}
  const extra = { ...rest, ...(Object.keys(linkRest).length > 0 && { link: linkRest }) }
  return {
    thing,
    type,
    seq: BigInt(seq),
    at: BigInt(at),
    received: BigInt(received),
    interval_s: int32(interval_s),
    size: int32(size),
    answer: answer ?? null,
    changed: changed ?? null,
    config_version: config_version === undefined ? null : BigInt(config_version),
    sent: sent === undefined ? null : BigInt(sent),
    state: state === undefined ? null : JSON.stringify(state),
    outcomes: outcomes === undefined ? null : JSON.stringify(outcomes),
    extra: Object.keys(extra).length === 0 ? null : JSON.stringify(extra),
  }
}

/** Sizes and intervals have 31 bits at most (contract/src/check-in.ts, SECONDS_MAX). */
function int32(value: number | undefined): number | null {
  return value === undefined ? null : Math.min(value, 0x7fff_ffff)
}
