/** Seconds that a device is told to wait, at least and at most. */
const WAIT_MIN_S = 2
const WAIT_MAX_S = 300
/** How fast the estimate of the drain follows: what lies ten samples back counts for a third. */
const MEMORY = 0.9
/** Less time than this with something waiting tells nothing about the speed, milliseconds: it waits for company. */
const BUSY_MIN_MS = 1000

export type Overload = {
  /** Tells how much waits for SQS and how much SQS has taken so far (bytes, a position), now (milliseconds). */
  sample(backlog: number, sent: number, now: number): void
  /** Seconds until what waits now should be gone, spread by a quarter up or down from device to device. */
  retryAfter(thing: string): number
}

/** Estimates from the real depth of the queue and the speed at which it drains when it is worth trying again. */
export function createOverload(): Overload {
  let backlog = 0
  let drained = 0
  let busyMs = 0
  let previous: { sent: number; now: number } | undefined

  function sample(waiting: number, sent: number, now: number): void {
    // Only time in which something waited says how fast it drains: a quiet hour is not a slow one.
    if (previous && backlog > 0) {
      drained = drained * MEMORY + (sent - previous.sent)
      busyMs = busyMs * MEMORY + (now - previous.now)
    }
    backlog = waiting
    previous = { sent, now }
  }

  function drainSeconds(): number {
    if (backlog === 0 || busyMs < BUSY_MIN_MS) return 0
    return drained > 0 ? (backlog * busyMs) / drained / 1000 : WAIT_MAX_S
  }

  function retryAfter(thing: string): number {
    const wait = Math.min(WAIT_MAX_S, Math.max(WAIT_MIN_S, drainSeconds()))
    return Math.max(1, Math.round(wait * (0.75 + 0.5 * fraction(thing))))
  }

  return { sample, retryAfter }
}

/** A number from 0 to 1 that is the same for a device each time, so that each keeps its own place in the spread. */
function fraction(thing: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < thing.length; i++) hash = Math.imul(hash ^ thing.charCodeAt(i), 0x01000193)
  return ((hash ^ (hash >>> 15)) >>> 0) / 0xffff_ffff
}
