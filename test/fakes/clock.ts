import type { Clock } from '../../bridge-lambda/src/retry.ts'

/** Time that passes only by sleeping, and then at once. */
export function createFakeClock(start = 1_000): Clock & { slept: number[]; advance(ms: number): void } {
  let now = start
  const slept: number[] = []
  return {
    slept,
    now: () => now,
    sleep: async (ms) => {
      slept.push(ms)
      now += ms
      await new Promise((resolve) => setImmediate(resolve))
    },
    random: () => 0.5,
    signalIn: () => new AbortController().signal,
    advance(ms) {
      now += ms
    },
  }
}
