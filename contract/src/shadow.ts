/**
 * What the bridge writes under `reported.link` of a classic shadow (design/wire.md section 4).
 * Beside it, `reported` holds the device's last state.
 */
export type ShadowLink = {
  /** When the state was measured, milliseconds since 1970. */
  at: number
  /** `seq` of the newest report in this shadow. */
  seq: number
  /** Id of the gateway that took the newest report. */
  gateway: string
  /** When the device promised to report again, seconds after `at`. */
  interval_s?: number
  /**
   * Reports of a secure device that never came: numbers missing in `seq`. An upper bound: a device that loses power skips a
   * few numbers, and of reports that say "unchanged" not all are written down. More than 64 missing at once count as a new start.
   */
  lost?: number
  /** From what `lost` is counted. */
  window?: MissedWindow
  /**
   * `seq` of the report that last decided a top-level key, where the newest report's `seq` does not say it: keys that the
   * newest report did not carry, keys that a report removed, keys that hold nothing but empty objects, and (as -1) keys
   * that somebody else wrote. With it, partial reports that arrive late or out of order still end in the same shadow.
   */
  older?: Record<string, number>
}

/** The last 64 numbers up to `upto`, so that reports may come late, repeated and out of order. */
export type MissedWindow = {
  upto: number
  /** 64 bits in hexadecimal, the lowest is `upto`: 1 for each number that has come. */
  seen: string
  /** Numbers missing below the window. */
  lost: number
  /** Numbers missing right below the window, not in `lost` yet: 65 means more, or that there was nothing before. */
  gap: number
}
