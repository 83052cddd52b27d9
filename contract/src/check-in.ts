/**
 * What a device and a gateway say to each other in one exchange (`POST /u`): names, and the integers that stand for
 * them in CBOR. JSON takes the names. `numbered.ts` translates.
 */

import type { ZoneRule } from './zone-rule.ts'

/** Uplink: what a device says. */
export const UPLINK_KEYS = {
  state: 0,
  age_s: 1,
  interval_s: 2,
  config_version: 3,
  changed: 4,
  clock: 5,
  outcomes: 6,
  no_reply: 7,
  firmware: 8,
} as const

/** One outcome, in an uplink: of a command (`n`) or of a meal of the schedule (`occurrence`), never both. */
export const OUTCOME_KEYS = { n: 0, state: 1, grams: 2, reason: 3, age_s: 4, occurrence: 5 } as const

/** Downlink: what the gateway answers. */
export const DOWNLINK_KEYS = {
  time: 0,
  commands: 1,
  more: 2,
  acked_upto: 3,
  config: 4,
  gateways: 5,
  acked_meal: 6,
  firmware: 7,
} as const

/** One command, in a downlink. */
export const COMMAND_KEYS = { n: 0, kind: 1, grams: 2, ttl_s: 3 } as const

export const CONFIG_KEYS = {
  version: 0,
  interval_s: 1,
  zone: 2,
  schedule: 3,
  limits: 4,
  calibration: 5,
  rule: 6,
} as const
export const LIMIT_KEYS = { portion: 0, daily: 1, gap_s: 2 } as const
export const GATEWAYS_KEYS = { version: 0, list: 1 } as const
/** A release of firmware, in a downlink. */
export const RELEASE_KEYS = { version: 0, size: 1, sha256: 2, url: 3 } as const
/** What a device says of its firmware, in an uplink. */
export const FIRMWARE_KEYS = { version: 0, tried: 1, problem: 2 } as const

/** What has become of a command or a meal, by the device's own word. From `done` on it is final. */
export const OUTCOME_STATES = {
  accepted: 1,
  dispensing: 2,
  done: 3,
  partial: 4,
  jammed: 5,
  refused: 6,
  interrupted: 7,
  expired: 8,
} as const
export type OutcomeState = keyof typeof OUTCOME_STATES

/** Why a device refused a command. */
export const REFUSE_REASONS = {
  busy: 1,
  stale: 2,
  expired: 3,
  portion: 4,
  daily: 5,
  gap: 6,
  battery: 7,
  latched: 8,
  no_time: 9,
  unknown_kind: 10,
} as const
/** Why a device does not run the release that it was told of: by its last attempt. */
export const FIRMWARE_PROBLEMS = { unreachable: 1, digest: 2, storage: 3, rolled_back: 4 } as const
/** A number that we do not know yet reads as `p<number>`. */
export type FirmwareProblem = keyof typeof FIRMWARE_PROBLEMS | `p${number}`

/** A number that we do not know yet reads as `r<number>`. */
export type RefuseReason = keyof typeof REFUSE_REASONS | `r${number}`

export const COMMAND_KINDS = { feed: 1 } as const
export type CommandKind = keyof typeof COMMAND_KINDS

/**
 * Numbered fields of a feeder's state. Its temperature crosses in tenths of a degree and is shown in degrees as `temp_c`.
 * A number that is not here is shown as `f<number>`.
 */
export const FEEDER_STATE_KEYS = {
  hopper_pct: 0,
  battery_mv: 1,
  temp_c: 2,
  rssi_dbm: 3,
  fed_g_today: 4,
  motor_runs: 5,
  jams: 6,
  wakes: 7,
  fw: 8,
  reset_reason: 9,
  schedule_version: 10,
} as const

/** Fields of the table above that cross the wire multiplied, so that they stay integers. */
export const STATE_SCALES: Readonly<Record<string, number>> = { temp_c: 10 }

/** Highest command number: a device keeps it in 32 bits. */
export const COMMAND_NUMBER_MAX = 0xffff_ffff
/** Highest occurrence of a meal: a device keeps it in 32 bits. */
export const OCCURRENCE_MAX = 0xffff_ffff
/** Least and most of `calibration`: a factor beyond is a scale that was read wrongly. */
export const CALIBRATION_MIN = 250
export const CALIBRATION_MAX = 4_000
/** Most grams that one field can say. */
export const GRAMS_MAX = 0xffff
/** Longest time that one field can say, seconds. */
export const SECONDS_MAX = 0x7fff_ffff
/** Most outcomes in one uplink: a device keeps a ring of eight. */
export const OUTCOMES_MAX = 8
/** Most commands in one downlink. */
export const COMMANDS_MAX = 2
/** Most meals in a schedule. */
export const SLOTS_MAX = 48
/** Highest version of a firmware: a device keeps it in 32 bits. */
export const FIRMWARE_VERSION_MAX = 0xffff_ffff
/** Largest image, bytes. */
export const FIRMWARE_SIZE_MAX = 0x100_0000
/** Longest address of an image, bytes. */
export const FIRMWARE_URL_MAX = 128
/** Most gateways that a device is told of. */
export const GATEWAYS_MAX = 4

export type Uplink = {
  /** Measurements, by name. The values are as they were decoded: whoever takes them further checks them. */
  state?: Record<string, unknown>
  /** How long ago the state was measured, seconds; absent means now. */
  age_s?: number
  /** The next check-in that the device promises, seconds from this one. */
  interval_s?: number
  /** Version of the configuration that the device holds; absent means that it takes none. */
  config_version?: number
  /** false: the state is that of the last report that was answered. Absent means changed. */
  changed?: boolean
  /** The device's own clock, seconds since 1970; 0 when it has none. */
  clock?: number
  /** What has become of commands and meals. The device repeats them until an answer names them (`acked_upto`, `acked_meal`). */
  outcomes?: Outcome[]
  /** The device does not wait for an answer. */
  no_reply?: boolean
  /** The firmware that the device runs: it asks whether it should be another. Said after a start, now and then, and after an attempt. */
  firmware?: FirmwareWord
}

export type FirmwareWord = {
  /** The version that runs. */
  version: number
  /** The version of another release that it was told of last, and could not take. */
  tried?: number
  problem?: FirmwareProblem
}

export type Outcome = CommandOutcome | MealOutcome

export type CommandOutcome = OutcomeFacts & {
  /** Number of the command. */
  n: number
  occurrence?: never
}

export type MealOutcome = OutcomeFacts & {
  /**
   * Which meal of the schedule: minutes since 1970-01-01 00:00 on the wall clock of the schedule's zone, as if each day there had 1440
   * (day * 1440 + minute of the slot). A device's occurrences only rise; an hour that comes twice has the same ones.
   */
  occurrence: number
  n?: never
}

type OutcomeFacts = {
  state: OutcomeState
  /** What was dispensed, grams. */
  grams?: number
  /** Of a refusal. */
  reason?: RefuseReason
  /** How long ago, seconds; absent means now. */
  age_s?: number
}

export type Downlink = {
  /** Seconds since 1970. */
  time?: number
  /** At most COMMANDS_MAX, the oldest first. */
  commands?: Command[]
  /** Another check-in in this wake is worth it. */
  more?: boolean
  /** Outcomes up to this command number are safe: the device may forget them. */
  acked_upto?: number
  /** The same for meals: outcomes up to this occurrence that were in this very uplink are safe. */
  acked_meal?: number
  /** When the device's version is behind. */
  config?: DeviceConfig
  gateways?: Gateways
  /** When the device has said which firmware it runs, and it should be another. */
  firmware?: FirmwareRelease
}

/**
 * A release of firmware. It comes in a verified answer only, so it is trusted, and the image is not: where it comes from does not
 * matter when its digest is right. A level, not an edge, as configuration is: the version may also be a lower one.
 */
export type FirmwareRelease = {
  /** What the image says of itself once it runs, 1 or more. One that says another is not confirmed to have come. */
  version: number
  /** Bytes. */
  size: number
  /** Of the image: 64 hex digits; in CBOR 32 bytes. */
  sha256: string
  /** `http://` or `https://`, at most FIRMWARE_URL_MAX printable ASCII characters. */
  url: string
}

export type Command = {
  /** Number of the command: a device never acts on one at or below the highest that it has acted on. */
  n: number
  kind: CommandKind
  grams: number
  /** How long it may still be begun, seconds. */
  ttl_s: number
}

/** Configuration is a level, not an edge: the device takes any version that is not its own. */
export type DeviceConfig = {
  version: number
  /** How often to check in, seconds. */
  interval_s?: number
  /** IANA time zone of the schedule. */
  zone?: string
  schedule?: ScheduleSlot[]
  limits?: FeedLimits
  /**
   * Thousandths: grams that really come for each gram that the bare motor counts; absent means 1000. All other grams, in both
   * directions, are real ones: the device runs its motor for `grams * 1000 / calibration`.
   */
  calibration?: number
  /**
   * What `zone` means, for a device that has no table of zones. The web server writes it beside the zone, under the same version, and
   * gives a new version before it is not true any more; where it is missing, the gateway adds it to what it hands out. Absent: UTC.
   */
  rule?: ZoneRule
}

/** One meal: local minute of the day (0 to 1439), grams, days (bit 0 is Monday, 1 to 127). */
export type ScheduleSlot = [minute: number, grams: number, days: number]

/** Limits that a device keeps. They can only be lower than those it was made with. */
export type FeedLimits = {
  /** Grams in one portion. */
  portion?: number
  /** Grams in any 24 hours. */
  daily?: number
  /** Seconds between two portions. */
  gap_s?: number
}

export type Gateways = {
  version: number
  /**
   * `id=host:port`, in the order in which to try them. The id is the ID Context (kid.ts): without it a device could not speak to
   * a gateway that it learns of here.
   */
  list: string[]
}

/** Whether an outcome is the last word on its command. */
export function isFinal(state: OutcomeState): boolean {
  return OUTCOME_STATES[state] >= OUTCOME_STATES.done
}
