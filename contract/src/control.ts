import type {
  CommandKind,
  DeviceConfig,
  FirmwareRelease,
  FirmwareWord,
  OutcomeState,
  RefuseReason,
} from './check-in.ts'
import {
  COMMAND_KINDS,
  COMMAND_NUMBER_MAX,
  FIRMWARE_VERSION_MAX,
  GRAMS_MAX,
  OCCURRENCE_MAX,
  OUTCOME_STATES,
} from './check-in.ts'
import { nameConfig, nameRelease } from './numbered.ts'

/** Name of the shadow through which a device is controlled (design/wire.md section 4). */
export const CONTROL_SHADOW = 'control'

/** Outcomes of commands kept in the shadow: those with the highest numbers. */
export const OUTCOMES_KEPT = 8
/** The same of meals: a day of twenty small ones, that come all at once when the network was away. */
export const MEALS_KEPT = 24

/** What people want of a device: written by the web server and the command line only. */
export type ControlDesired = {
  /** Whether the device may speak at all. Absent: never registered, so no. */
  enabled: boolean
  /** What people call it. */
  name?: string
  config?: DeviceConfig
  /** Commands that may still be handed out, the oldest first. */
  queue: QueuedCommand[]
  /** Commands that were taken back: no gateway hands them out. One that was handed out before may still run. */
  cancelled?: CancelledCommand[]
  /** Number of the next command; absent means 1. Never goes down. */
  next?: number
  /** The firmware that it should run; absent: whatever it runs. */
  firmware?: FirmwareRelease
}

export type QueuedCommand = {
  n: number
  kind: CommandKind
  grams: number
  /** When it may no longer be begun, seconds since 1970. */
  notAfter: number
  /** Who gave it. */
  by: string
  /** When it was given, seconds since 1970. */
  at: number
  /** The giver's own name for it (Idempotency-Key): giving it again under the same name gives nothing new. */
  key?: string
}

export type CancelledCommand = QueuedCommand & {
  /** When it was taken back, seconds since 1970. */
  cancelled: number
}

/** What the device said about it: written by the bridge only. */
export type ControlReported = {
  /** The configuration that the device holds, and the `seq` of a report that said so. */
  config?: { version: number; seq?: number }
  /** The firmware that it runs, why not another, and the `seq` of a report that said so. */
  firmware?: FirmwareWord & { seq?: number }
  /** Highest command number that was handed out in an answer. */
  sent?: number
  outcomes?: {
    /** Highest command number that the device has named. */
    last: number
    /** The last OUTCOMES_KEPT, by number. */
    items: KeptOutcome[]
  }
  /** The same for meals of the schedule. */
  meals?: {
    /** Highest occurrence that the device has named. */
    last: number
    /** The last MEALS_KEPT, under their occurrence: an object, so that a write names only what has changed. */
    items: Readonly<Record<string, KeptWord>>
  }
}

export type KeptOutcome = KeptWord & {
  n: number
  /** It is of a time when the command had already expired: the animal was fed all the same. */
  late?: boolean
}

export type KeptMeal = KeptWord & {
  /** Minutes since 1970 on the wall clock of the schedule's zone (check-in.ts, MealOutcome). */
  occurrence: number
}

export type KeptWord = {
  state: OutcomeState
  /** What was dispensed, grams. */
  grams?: number
  /** Of a refusal. */
  reason?: RefuseReason
  /** When, milliseconds since 1970. */
  at: number
  /** `seq` of the first report that said so. */
  seq?: number
}

export type Control = { desired: ControlDesired; reported: ControlReported }

/** The meals of the schedule that the device has spoken of, by occurrence. */
export function mealsOf({ meals }: ControlReported): KeptMeal[] {
  return Object.entries(meals?.items ?? {})
    .map(([occurrence, word]) => ({ occurrence: Number(occurrence), ...word }))
    .sort((a, b) => a.occurrence - b.occurrence)
}

/** What a shadow that does not exist says. */
export const NO_CONTROL: Control = { desired: { enabled: false, queue: [] }, reported: {} }

/**
 * Reads the `state` of a control shadow. What does not fit the contract counts as absent, so that nobody can stop a device
 * by writing nonsense beside its commands. An `enabled` that is not true is false.
 */
export function readControl(state: unknown): Control {
  const { desired, reported } = fieldsOf(state)
  return { desired: readDesired(fieldsOf(desired)), reported: readReported(fieldsOf(reported)) }
}

function readDesired({
  enabled,
  name,
  config,
  queue,
  cancelled,
  next,
  firmware,
}: Record<string, unknown>): ControlDesired {
  const named = config === undefined ? undefined : nameConfig(config)
  const release = firmware === undefined ? undefined : nameRelease(firmware)
  return {
    enabled: enabled === true,
    queue: byNumber(queue, isQueued),
    ...(Array.isArray(cancelled) && { cancelled: byNumber(cancelled, isCancelled) }),
    ...(typeof name === 'string' && { name }),
    ...(typeof named === 'object' && { config: named }),
    ...(isNumber(next) && { next }),
    ...(typeof release === 'object' && { firmware: release }),
  }
}

function readReported({ config, firmware, sent, outcomes, meals }: Record<string, unknown>): ControlReported {
  const runs = readFirmware(fieldsOf(firmware))
  const { version, seq } = fieldsOf(config)
  const { last, items } = fieldsOf(outcomes)
  const { last: lastMeal, items: kept } = fieldsOf(meals)
  return {
    ...(isUint(version, Number.MAX_SAFE_INTEGER) && {
      config: { version, ...(isUint(seq, Number.MAX_SAFE_INTEGER) && { seq }) },
    }),
    ...(runs && { firmware: runs }),
    ...(isNumber(sent) && { sent }),
    ...(isNumber(last) && { outcomes: { last, items: byNumber(items, isKept) } }),
    ...(isOccurrence(lastMeal) && { meals: { last: lastMeal, items: onlyWords(fieldsOf(kept)) } }),
  }
}

function readFirmware({
  version,
  tried,
  problem,
  seq,
}: Record<string, unknown>): ControlReported['firmware'] {
  if (!isUint(version, FIRMWARE_VERSION_MAX)) return undefined
  return {
    version,
    ...(isUint(tried, FIRMWARE_VERSION_MAX) && { tried }),
    ...(typeof problem === 'string' && { problem: problem as NonNullable<FirmwareWord['problem']> }),
    ...(isUint(seq, Number.MAX_SAFE_INTEGER) && { seq }),
  }
}

function onlyWords(items: Record<string, unknown>): Record<string, KeptWord> {
  const words = Object.entries(items).filter(([key, word]) => isOccurrence(Number(key)) && isWord(word))
  return Object.fromEntries(words) as Record<string, KeptWord>
}

function byNumber<T extends { n: number }>(value: unknown, isOne: (value: unknown) => value is T): T[] {
  return Array.isArray(value) ? value.filter(isOne).toSorted((a, b) => a.n - b.n) : []
}

function isCancelled(value: unknown): value is CancelledCommand {
  return isQueued(value) && isUint(fieldsOf(value)['cancelled'], Number.MAX_SAFE_INTEGER)
}

function isQueued(value: unknown): value is QueuedCommand {
  const { n, kind, grams, notAfter, by, at } = fieldsOf(value)
  return (
    isNumber(n) &&
    typeof kind === 'string' &&
    Object.hasOwn(COMMAND_KINDS, kind) &&
    isUint(grams, GRAMS_MAX) &&
    isUint(notAfter, Number.MAX_SAFE_INTEGER) &&
    typeof by === 'string' &&
    isUint(at, Number.MAX_SAFE_INTEGER)
  )
}

function isKept(value: unknown): value is KeptOutcome {
  return isNumber(fieldsOf(value)['n']) && isWord(value)
}

function isWord(value: unknown): boolean {
  const { state, at } = fieldsOf(value)
  return (
    typeof state === 'string' && Object.hasOwn(OUTCOME_STATES, state) && isUint(at, Number.MAX_SAFE_INTEGER)
  )
}

function isOccurrence(value: unknown): value is number {
  return isUint(value, OCCURRENCE_MAX) && value > 0
}

function isNumber(value: unknown): value is number {
  return isUint(value, COMMAND_NUMBER_MAX) && value > 0
}

function isUint(value: unknown, max: number): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= max
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {}
}
