/** The time as the server has it: a phone whose clock is wrong must not make a silent feeder look fresh. */
import { type Signal, signal } from '@preact/signals'

let offsetMs = 0

/** Milliseconds since 1970, moved on every five seconds: what says "3 min ago" reads this. */
export const now: Signal<number> = signal(Date.now())

/** Milliseconds since 1970 at this instant. */
export function instant(): number {
  return Date.now() + offsetMs
}

/** Differences below this are the whole seconds of the header and the way of the answer, milliseconds. */
const TOLERANCE_MS = 3_000

/** Takes the `Date` header of an answer. */
export function heardTime(header: string | null): void {
  const server = header === null ? Number.NaN : Date.parse(header)
  if (Number.isNaN(server)) return
  const offset = server - Date.now()
  if (Math.abs(offset - offsetMs) > TOLERANCE_MS) offsetMs = Math.abs(offset) > TOLERANCE_MS ? offset : 0
}

/** Starts the ticking, for as long as the page lives. */
export function startClock(): void {
  setInterval(() => {
    now.value = instant()
  }, 5_000)
}
