/** Evenly paced permissions for calls that AWS allows only so often. Time is an argument: nothing here waits. */
export type Pace = {
  /**
   * Takes the next free moment and returns how long to wait for it, in milliseconds;
   * undefined, and nothing is taken, if that moment is at or after `deadline`.
   */
  reserve(now: number, deadline: number): number | undefined
}

/** @param perSecond calls allowed in a second; a pause saves none up */
export function createPace(perSecond: number): Pace {
  let nextFree = 0
  return {
    reserve(now, deadline) {
      const moment = Math.max(now, nextFree)
      if (moment >= deadline) return undefined
      nextFree = moment + 1000 / perSecond
      return moment - now
    },
  }
}
