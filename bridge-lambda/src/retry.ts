import { codeOf } from './errors.ts'

/** First and longest wait between two tries, in milliseconds; each wait is drawn from zero to its bound ("full jitter"). */
export const RETRY_BASE_MS = 100
export const RETRY_CAP_MS = 5_000
/** Tries of one call. After that its messages go back to the queue. */
export const TRIES_MAX = 8

/** Time and chance, as arguments. */
export type Clock = {
  /** Milliseconds; the same clock as every deadline. */
  readonly now: () => number
  readonly sleep: (ms: number) => Promise<void>
  /** From 0 to 1. */
  readonly random: () => number
  /** Aborts after so many milliseconds. */
  readonly signalIn: (ms: number) => AbortSignal
}

/** How long to wait before try number `attempt` (1 is the first repetition), in milliseconds. */
export function backoff(attempt: number, random: number): number {
  return random * Math.min(RETRY_CAP_MS, RETRY_BASE_MS * 2 ** (attempt - 1))
}

/** Repeats a call that failed because AWS was not available, until it answers, the tries are used up, or `deadline` is too near. */
export async function retrying<T>(call: () => Promise<T>, deadline: number, clock: Clock): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call()
    } catch (error) {
      const wait = backoff(attempt, clock.random())
      if (codeOf(error) !== 'unavailable' || attempt === TRIES_MAX || clock.now() + wait >= deadline)
        throw error
      await clock.sleep(wait)
    }
  }
}
