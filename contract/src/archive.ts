/**
 * The archive: every report that a gateway has put into its journal, in Parquet files in S3. A gateway writes it, the web
 * server's index and whoever queries it with Athena or DuckDB read it.
 */

/** Where the objects are in the bucket. The rest of a key is Hive partitions, so that query engines prune by them. */
export const ARCHIVE_PREFIX = 'raw/'

/** What one object holds. */
export type ArchiveObject = {
  /** Gateway id: the partition `gateway`, which no column repeats (Athena refuses a name that is both). */
  readonly gateway: string
  /** Hour in UTC in which the gateway took all of its reports, milliseconds since 1970: the partitions `dt` and `hour`. */
  readonly hour: number
  /** Number of the gateway's journal. */
  readonly journal: number
  /** Positions in the journal: of the first line, and after the last. */
  readonly first: number
  readonly end: number
  /** CRC-32 of the lines: a journal that began anew at the same positions overwrites nothing. */
  readonly crc: number
}

export const HOUR_MS = 3_600_000

/** The prefix of all of a gateway's objects. */
export function gatewayPrefix(gateway: string): string {
  return `${ARCHIVE_PREFIX}gateway=${gateway}/`
}

/** The prefix of the objects of one hour. */
export function hourPrefix(gateway: string, hour: number): string {
  const time = new Date(hour).toISOString()
  return `${gatewayPrefix(gateway)}dt=${time.slice(0, 10)}/hour=${time.slice(11, 13)}/`
}

/**
 * Key of an object: `raw/gateway=a/dt=2026-11-20/hour=17/0-<first>-<end>-<crc>.parquet`, the positions in 16 digits.
 * It follows from the lines alone, so writing an object again overwrites it.
 */
export function archiveKey({ gateway, hour, journal, first, end, crc }: ArchiveObject): string {
  const hex = crc.toString(16).padStart(8, '0')
  return `${hourPrefix(gateway, hour)}${journal}-${digits(first)}-${digits(end)}-${hex}.parquet`
}

const KEY =
  /^raw\/gateway=([a-z0-9-]{1,16})\/dt=(\d{4}-\d\d-\d\d)\/hour=([01]\d|2[0-3])\/(\d{1,3})-(\d{16})-(\d{16})-([0-9a-f]{8})\.parquet$/

/** Reads a key. Undefined when it is none of the archive. */
export function parseArchiveKey(key: string): ArchiveObject | undefined {
  const [, gateway, date, hour, journal, first, end, crc] = KEY.exec(key) ?? []
  if (gateway === undefined || crc === undefined) return undefined
  const time = Date.parse(`${date}T${hour}:00:00Z`)
  if (Number.isNaN(time)) return undefined
  return {
    gateway,
    hour: time,
    journal: Number(journal),
    first: Number(first),
    end: Number(end),
    crc: Number.parseInt(crc, 16),
  }
}

/**
 * Columns of an object, one row for each report (contract/src/report.ts). Every part of a report is in one of them: `extra` holds
 * what no other column does. Texts called JSON are JSON as the report had it.
 */
export const ARCHIVE_COLUMNS = [
  { name: 'thing', type: 'text', nullable: false },
  /** Thing type. */
  { name: 'type', type: 'text', nullable: false },
  /** With `thing`, the key by which repeats are known: a report stands in the archive at least once. */
  { name: 'seq', type: 'int64', nullable: false },
  /** When it was measured. */
  { name: 'at', type: 'time', nullable: false },
  /** When the gateway took it. */
  { name: 'received', type: 'time', nullable: false },
  /** When the device promised to report again, seconds from this report. */
  { name: 'interval_s', type: 'int32', nullable: true },
  /** Size of the datagram, bytes. */
  { name: 'size', type: 'int32', nullable: true },
  /** false: the device did not wait for an answer. */
  { name: 'answer', type: 'boolean', nullable: true },
  /** false: the device said that the state was that of its last report. */
  { name: 'changed', type: 'boolean', nullable: true },
  /** Version of the configuration that the device held. */
  { name: 'config_version', type: 'int64', nullable: true },
  /** Highest command number in the answer. */
  { name: 'sent', type: 'int64', nullable: true },
  /** JSON: the measurements. */
  { name: 'state', type: 'text', nullable: true },
  /** JSON: what had become of commands and meals. */
  { name: 'outcomes', type: 'text', nullable: true },
  /** JSON: the rest of the report. */
  { name: 'extra', type: 'text', nullable: true },
] as const satisfies readonly ArchiveColumn[]

export type ArchiveColumn = {
  readonly name: string
  readonly type: 'text' | 'int32' | 'int64' | 'time' | 'boolean'
  readonly nullable: boolean
}

function digits(position: number): string {
  return String(position).padStart(16, '0')
}
