/** Seconds that a device is told to wait, at least and at most. */
const WAIT_MIN_S = 2
const WAIT_MAX_S = 300
/** How fast the estimate of the drain follows: about the last ten samples count. */
const WEIGHT = 0.1

export type Overload = {
  /** Tells how much waits for SQS and how much SQS has taken so far (bytes, a position), now (milliseconds). */
  sample(backlog: number, sent: number, now: number): void
  /** Seconds until what waits now should be gone, spread by a quarter up or down from device to device. */
  retryAfter(thing: string): number
}

/** Estimates from the real depth of the queue and the speed at which it drains when it is worth trying again. */
export function createOverload(): Overload {
  let backlog = 0
  let bytesPerSecond = 0
  let previous: { sent: number; now: number } | undefined

  function sample(waiting: number, sent: number, now: number): void {
    backlog = waiting
    if (previous && now > previous.now) {
      const speed = ((sent - previous.sent) * 1000) / (now - previous.now)
      bytesPerSecond += (speed - bytesPerSecond) * WEIGHT
    }
    previous = { sent, now }
  }

  function retryAfter(thing: string): number {
    const drained = backlog === 0 ? 0 : bytesPerSecond > 0 ? backlog / bytesPerSecond : WAIT_MAX_S
    const wait = Math.min(WAIT_MAX_S, Math.max(WAIT_MIN_S, drained))
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
