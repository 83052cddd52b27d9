/** A feeder that only exists as a formula: what it would report at a given instant. */
export type DemoFeeder = {
  /** Thing name. */
  readonly thing: string
  /** Sets its noise and phase apart from the other feeders'. */
  readonly seed: number
  /** How it reports: a Content-Format and a kind of message. */
  readonly format: 'application/json' | 'application/cbor'
  readonly confirmable: boolean
}

/** Two of them, so that both formats and both kinds of message are seen at work. */
export const DEMO_FEEDERS: readonly DemoFeeder[] = [
  { thing: 'demo-luna', seed: 1, format: 'application/json', confirmable: true },
  { thing: 'demo-sol', seed: 2, format: 'application/cbor', confirmable: false },
]

export type DemoReading = {
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
const HOUR_MS = 3_600_000

/**
 * What the feeder reports at `now`, milliseconds since 1970. A function of time alone: a restart of the demo goes on
 * where it was.
 */
export function readingOf(feeder: DemoFeeder, now: number): DemoReading {
  const portions = Math.floor(now / PORTION_MS) + feeder.seed * 37
  // A day of sun: charged in the afternoon, low before dawn.
  const sun = Math.sin(((now / HOUR_MS - 9) / 24) * 2 * Math.PI)
  return {
    hopper_pct: 100 - (portions % (100 - LOWEST_PCT + 1)),
    battery_mv: Math.round(3780 + 160 * sun + 12 * noise(feeder.seed, now)),
    rssi: Math.round(-62 - 6 * feeder.seed + 5 * noise(feeder.seed + 100, now)),
  }
}

/** Between -1 and 1, the same for the same arguments, another every five seconds. */
function noise(seed: number, now: number): number {
  const wave = Math.sin(seed * 12.9898 + Math.floor(now / 5000) * 78.233) * 43_758.5453
  return 2 * (wave - Math.floor(wave)) - 1
}
