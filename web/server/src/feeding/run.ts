import type { FastifyBaseLogger } from 'fastify'
import type { Cloud } from '../cloud.ts'
import type { Feeding } from './feeding.ts'

/** How often the clock is looked at, milliseconds: expired, unknown, missed. */
const TICK_MS = 5_000
/** Feeders are read anew so often even while messages come: nothing that was lost on the way stays lost, milliseconds. */
const RECONCILE_MS = 10 * 60_000
/** When AWS IoT could not be asked, milliseconds. */
const AGAIN_MS = 5_000

/** Keeps the ledger up with the feeders for as long as the server runs. Returns what ends it. */
export function runFeeding(
  feeding: Pick<Feeding, 'hear' | 'tick' | 'reconcile'>,
  { iot, onControl }: Pick<Cloud, 'iot' | 'onControl'>,
  log: Pick<FastifyBaseLogger, 'warn'>,
): () => void {
  let isStopped = false
  let again: NodeJS.Timeout | undefined
  let isTicking = false
  let isReading = false

  function reconcile(): void {
    clearTimeout(again)
    if (isStopped || isReading) return
    isReading = true
    const next = (ms: number): void => {
      isReading = false
      again = setTimeout(reconcile, ms)
    }
    feeding.reconcile().then(
      () => next(RECONCILE_MS),
      (error: unknown) => {
        log.warn({ err: error }, 'feeders cannot be read: what is shown of feedings may be old')
        next(AGAIN_MS)
      },
    )
  }

  onControl(({ thing, version, control }) => {
    feeding
      .hear(thing, { version, state: control })
      .catch((error: unknown) => log.warn({ err: error, thing }, 'feeding cannot be followed'))
  })
  iot?.onLink(({ isLive }) => {
    if (isLive) reconcile()
  })
  const timer = setInterval(() => {
    // One look at a time: the database may be slow.
    if (isTicking) return
    isTicking = true
    feeding
      .tick()
      .catch((error: unknown) => log.warn({ err: error }, 'feeding cannot be followed'))
      .finally(() => {
        isTicking = false
      })
  }, TICK_MS)
  reconcile()
  return () => {
    isStopped = true
    clearInterval(timer)
    clearTimeout(again)
  }
}
