import {
  COMMANDS_MAX,
  type DeviceConfig,
  type Downlink,
  type FirmwareRelease,
  type Gateways,
} from '@pesebre/contract/check-in'
import type { Control, QueuedCommand } from '@pesebre/contract/control'
import { withRule } from './zone-rules.ts'

/** What of a control shadow a gateway acts on. Kept for every device that reports, so it is small. */
export type Mailbox = {
  /** Version of the shadow: a higher one is newer. */
  readonly version: number
  readonly enabled: boolean
  /** By number, the lowest first. */
  readonly queue: readonly QueuedCommand[]
  readonly config?: DeviceConfig
  /** The firmware that the device should run. */
  readonly firmware?: FirmwareRelease
  /** Highest command number that an outcome in the shadow names, 0 if none does. */
  readonly acted: number
}

const NO_COMMANDS: readonly QueuedCommand[] = []
/** A command with less time than this does not reach its device in time, milliseconds. */
const REMAINING_MIN_MS = 1000
/** A clock that is further off is told the time, seconds. */
const CLOCK_TOLERANCE_S = 5

/** What a control shadow means for its device's mailbox. `undefined`: there is no such shadow, so the device is not registered. */
export function mailboxOf(control: Control | undefined, version: number): Mailbox {
  if (control === undefined) return { version, enabled: false, queue: NO_COMMANDS, acted: 0 }
  const { enabled, queue, config, firmware } = control.desired
  const acted = control.reported.outcomes?.last ?? 0
  // What the device has acted on is never handed out again: no need to keep it.
  const open = queue.filter(({ n }) => n > acted)
  return {
    version,
    enabled,
    queue: open.length > 0 ? open : NO_COMMANDS,
    acted,
    ...(config && { config }),
    ...(firmware && { firmware }),
  }
}

/** What the device has just said, as far as it decides the answer. */
export type Said = {
  /** Highest command number that any outcome of this device has named. */
  readonly acted: number
  /** Highest command number among the outcomes of this very uplink. */
  readonly ackedUpto?: number | undefined
  /** Highest occurrence of a meal among them. */
  readonly ackedMeal?: number | undefined
  /** The device's clock, seconds since 1970; 0 for none. */
  readonly clock?: number | undefined
  /** The configuration that it holds; undefined: it takes none. */
  readonly configVersion?: number | undefined
  /** The firmware that it runs; undefined: it does not ask for another. */
  readonly firmwareVersion?: number | undefined
}

/** Everything that an answer may carry. Made before the report is kept, since the report says what was sent. */
export type Plan = {
  readonly said: Said
  readonly commands: readonly QueuedCommand[]
  /** Other commands wait. */
  readonly more: boolean
  readonly config?: DeviceConfig | undefined
  readonly gateways?: Gateways | undefined
  readonly firmware?: FirmwareRelease | undefined
}

/**
 * Decides what to hand out: at most two commands, the oldest first, none that the device has acted on, none without time.
 * `now` in milliseconds since 1970. Without a mailbox (AWS cannot be asked) nothing.
 */
export function planAnswer(
  mailbox: Mailbox | undefined,
  said: Said,
  { now, gateways }: { now: number; gateways?: Gateways | undefined },
): Plan {
  if (mailbox === undefined) return { said, commands: NO_COMMANDS, more: false }
  const acted = Math.max(said.acted, mailbox.acted)
  const { queue, config, firmware } = mailbox
  const open =
    queue.length === 0 ? NO_COMMANDS : queue.filter(({ n, notAfter }) => n > acted && hasTime(notAfter, now))
  const isBehind =
    config !== undefined && said.configVersion !== undefined && said.configVersion < config.version
  return {
    said,
    commands: open.slice(0, COMMANDS_MAX),
    more: open.length > COMMANDS_MAX,
    ...(isBehind && { config: withRule(config, now), gateways }),
    ...(firmware !== undefined &&
      said.firmwareVersion !== undefined &&
      said.firmwareVersion !== firmware.version && { firmware }),
  }
}

/** The answer itself, with the time that is left at `now`, when it goes out. */
export function downlinkOf(
  { said, commands, more, config, gateways, firmware }: Plan,
  now: number,
): Downlink {
  const { clock, ackedUpto, ackedMeal } = said
  const epoch = Math.floor(now / 1000)
  // The commit may have taken long: what has run out meanwhile stays here.
  const inTime = commands.filter(({ notAfter }) => hasTime(notAfter, now))
  return {
    ...(clock !== undefined && Math.abs(clock - epoch) > CLOCK_TOLERANCE_S && { time: epoch }),
    ...(inTime.length > 0 && {
      commands: inTime.map(({ n, kind, grams, notAfter }) => ({
        n,
        kind,
        grams,
        ttl_s: Math.floor(notAfter - now / 1000),
      })),
    }),
    ...(more && { more }),
    ...(ackedUpto !== undefined && { acked_upto: ackedUpto }),
    ...(config && { config }),
    ...(gateways && { gateways }),
    ...(ackedMeal !== undefined && { acked_meal: ackedMeal }),
    ...(firmware && { firmware }),
  }
}

/** Whether an answer can have nothing to say, whenever it goes out: that of most check-ins. */
export function isEmpty({ said, commands, config, firmware }: Plan): boolean {
  // The time is only told to who has named his own; `more` comes with commands, and `gateways` with a configuration.
  const { clock, ackedUpto, ackedMeal } = said
  const isTold = clock !== undefined || ackedUpto !== undefined || ackedMeal !== undefined
  return !isTold && commands.length === 0 && config === undefined && firmware === undefined
}

/** Highest number that a plan hands out; undefined when it hands out none. */
export function sentBy({ commands }: Plan): number | undefined {
  return commands.at(-1)?.n
}

function hasTime(notAfter: number, now: number): boolean {
  return notAfter * 1000 > now + REMAINING_MIN_MS
}
