/** The first restart waits this long; each further one in a row twice as long. Milliseconds. */
export const FIRST_DELAY_MS = 500
/** Deaths in a row after which the whole stack stops. */
const DEATHS_MAX = 5
/** A process that ran this long was well: its next death counts as the first again. Milliseconds. */
const WELL_AFTER_MS = 60_000

export type Deaths = { readonly inARow: number }
export const NO_DEATHS: Deaths = { inARow: 0 }

/**
 * What to do about a process that died.
 * @param ranMs how long it had run
 * @param firstDelayMs see FIRST_DELAY_MS
 * @returns the deaths to remember, and how long to wait before it is started again; undefined: give up
 */
export function afterDeath(
  deaths: Deaths,
  ranMs: number,
  firstDelayMs = FIRST_DELAY_MS,
): { deaths: Deaths; delayMs: number | undefined } {
  const inARow = ranMs >= WELL_AFTER_MS ? 1 : deaths.inARow + 1
  const delayMs = inARow >= DEATHS_MAX ? undefined : firstDelayMs * 2 ** (inARow - 1)
  return { deaths: { inARow }, delayMs }
}
