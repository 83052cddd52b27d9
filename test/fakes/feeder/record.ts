import type { DeviceConfig, OutcomeState, RefuseReason } from '@pesebre/contract/check-in'

/** What a feeder has to remember over a power cut (design: it is written before anything is acted on). Times in seconds since 1970. */
export type FeederRecord = {
  /** Highest number of a command that was decided on: none at or below it is ever acted on. */
  readonly highWater: number
  /** The same for the schedule: see schedule.ts. */
  readonly lastOccurrence: number
  /** The order that is being worked on. */
  readonly active?: Active
  /** Outcomes of commands, the oldest first: at most RING. */
  readonly ring: readonly KeptOutcome[]
  /** Outcomes of meals that no verified answer has named yet, the oldest first: at most MEALS. */
  readonly meals: readonly KeptMeal[]
  /** What was given, by the hour: what limits a day. */
  readonly hours: readonly { readonly hour: number; readonly grams: number }[]
  /** When the last order was accepted. */
  readonly lastMealAt: number
  /** Nothing runs until a person has looked at it. */
  readonly latched: boolean
  readonly config: DeviceConfig
  readonly motorRuns: number
  readonly jams: number
  /** What is in the hopper. */
  readonly hopperGrams: number
}

/** Who asks for a meal: a person, or the schedule. Each has numbers that only rise. */
export type Origin = { readonly n: number } | { readonly occurrence: number }

export type Active = Origin & {
  readonly state: 'accepted' | 'dispensing'
  readonly grams: number
  /** Not begun after that. */
  readonly notAfter: number
  /** When it was accepted: its grams are counted in this hour. */
  readonly at: number
}

export type KeptOutcome = Said & {
  readonly n: number
  /** Whether a verified answer has named it. Only then may it make room for another. */
  readonly isTold: boolean
}

export type KeptMeal = Said & { readonly occurrence: number }

/** What became of an order. */
export type Said = {
  readonly state: OutcomeState
  readonly grams?: number
  readonly reason?: RefuseReason
  readonly at: number
}

/** Outcomes of commands kept. */
export const RING = 8
/** Outcomes of meals kept: a schedule's worth. The oldest makes room: an animal is fed, whether or not there is a network. */
export const MEALS = 48
export const HOPPER_GRAMS = 20_000
/** What it does until it is told otherwise. */
const CONFIG: DeviceConfig = { version: 0 }

/** As it leaves the factory. */
export const NEW_RECORD: FeederRecord = {
  highWater: 0,
  lastOccurrence: 0,
  ring: [],
  meals: [],
  hours: [],
  lastMealAt: 0,
  latched: false,
  config: CONFIG,
  motorRuns: 0,
  jams: 0,
  hopperGrams: HOPPER_GRAMS,
}

/** The ring with one more outcome. Those that were told make room, the oldest first; one that was not is never dropped. */
export function keepOutcome(ring: readonly KeptOutcome[], outcome: KeptOutcome): readonly KeptOutcome[] {
  const kept = [...ring]
  while (kept.length >= RING) {
    const oldest = kept.findIndex(({ isTold }) => isTold)
    if (oldest < 0) break
    kept.splice(oldest, 1)
  }
  return [...kept, outcome]
}

/** Whether the ring can take one more. */
export function hasRoom(ring: readonly KeptOutcome[]): boolean {
  return ring.length < RING || ring.some(({ isTold }) => isTold)
}
