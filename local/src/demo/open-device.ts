/** The demo device that reports in the open form, as one without keys does: what it reports is a formula. */
export const OPEN_DEVICE = { type: 'feeder', thing: 'demo-luna' } as const

export type OpenReading = {
  /** How full the hopper is, percent. */
  readonly hopper_pct: number
  /** Millivolts of a lithium cell. */
  readonly battery_mv: number
  /** Signal strength, dBm. */
  readonly rssi: number
}

/** A portion takes one percent; one is given in this time, so that a person sees the number move. Milliseconds. */
const PORTION_MS = 20_000
/** Somebody fills the hopper when it is down to this, percent. */
const LOWEST_PCT = 15
const SEED = 1

/**
 * What it reports at `now`, milliseconds since 1970. A function of time alone: a restart of the demo goes on where it was.
 */
export function readingOf(now: number): OpenReading {
  const portions = Math.floor(now / PORTION_MS)
  return {
    hopper_pct: 100 - (portions % (100 - LOWEST_PCT + 1)),
    battery_mv: batteryAt(SEED, now),
    rssi: Math.round(-68 + 5 * noise(SEED + 100, now)),
  }
}

const HOUR_MS = 3_600_000

/**
 * Millivolts of a cell under a small panel: charged in the afternoon, low before dawn, and never less than half full, below
 * which a feeder takes no firmware (`battery_min_pct`, firmware/core/settings.c). `seed` sets feeders apart.
 */
export function batteryAt(seed: number, now: number): number {
  const sun = Math.sin(((now / HOUR_MS - 9) / 24) * 2 * Math.PI)
  return Math.round(3960 + 160 * sun + 12 * noise(seed, now))
}

/** Between -1 and 1, the same for the same arguments, another every five seconds. */
export function noise(seed: number, now: number): number {
  const wave = Math.sin(seed * 12.9898 + Math.floor(now / 5000) * 78.233) * 43_758.5453
  return 2 * (wave - Math.floor(wave)) - 1
}
