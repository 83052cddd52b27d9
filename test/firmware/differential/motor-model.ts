/**
 * The motor of a feeder while it dispenses (design/feeding.md, F7; firmware/core/motor.h), once more: from the list of all readings so
 * far instead of from marks in time. Times in milliseconds.
 */

export const MOTOR = {
  mgPerPulse: 1000,
  stallMs: 300,
  currentMaxMa: 4000,
  overcurrentMs: 150,
  reverseMs: 300,
  reversalsMax: 2,
  batteryMinMv: 3000,
  runMaxMs: 60_000,
} as const

export type Reading = { at: number; pulses: number; currentMa: number; batteryMv: number; isEmpty: boolean }
export type Verdict = {
  direction: 'off' | 'forward' | 'reverse'
  end?: 'done' | 'partial' | 'jammed'
  grams: number
}

/** @param grams the portion; `start` when the motor was switched on */
export function createMotorModel(grams: number, start: number) {
  const readings: Reading[] = [{ at: start, pulses: 0, currentMa: 0, batteryMv: 5000, isEmpty: false }]
  /** When it was reversed, and when it went forward again. */
  const reversals: { from: number; to?: number }[] = []
  const wanted = Math.ceil((grams * 1000) / MOTOR.mgPerPulse)

  /** How long the newest readings have been so, without a break. */
  function lasting(isSo: (reading: Reading) => boolean): number {
    const newest = readings.at(-1)!.at
    const last = readings.findLast((reading) => !isSo(reading))
    return newest - (last?.at ?? start)
  }

  function look(): Pick<Verdict, 'direction' | 'end'> {
    const { at, pulses, isEmpty } = readings.at(-1)!
    if (pulses >= wanted) return { direction: 'off', end: 'done' }
    if (at - start >= MOTOR.runMaxMs) return { direction: 'off', end: 'jammed' }
    const reversal = reversals.at(-1)
    if (reversal !== undefined && reversal.to === undefined) {
      if (at - reversal.from < MOTOR.reverseMs) return { direction: 'reverse' }
      reversal.to = at
      return { direction: 'forward' }
    }
    if (isEmpty || lasting(({ batteryMv }) => batteryMv < MOTOR.batteryMinMv) >= MOTOR.overcurrentMs)
      return { direction: 'off', end: 'partial' }
    // What was before it was reversed does not count against the next try.
    const fresh = at - (reversal?.to ?? start)
    // The pulse came with the first reading that shows it.
    const stalled = Math.min(fresh, at - readings.find((one) => one.pulses === pulses)!.at)
    const strained = Math.min(
      fresh,
      lasting(({ currentMa }) => currentMa > MOTOR.currentMaxMa),
    )
    if (stalled < MOTOR.stallMs && strained < MOTOR.overcurrentMs) return { direction: 'forward' }
    if (reversals.length === MOTOR.reversalsMax) return { direction: 'off', end: 'jammed' }
    reversals.push({ from: at })
    return { direction: 'reverse' }
  }

  return (reading: Reading): Verdict => {
    readings.push(reading)
    const given = Math.min(reading.pulses * MOTOR.mgPerPulse, grams * 1000)
    return { ...look(), grams: Math.floor(given / 1000) }
  }
}
