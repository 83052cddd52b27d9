import type { HopStatus } from '@pesebre/contract/api/hop'

/** What one look at a hop has shown; when it was, and since when it is so, is added by the watch. */
export type Look = Omit<HopStatus, 'at' | 'since'>

/** What takes longer is as good as away: whoever looks wants to know now, milliseconds. */
export const LOOK_MS = 4_000

/** Does one thing that the hop must be able to do; what it throws is what is wrong. */
export async function lookAt(
  hop: HopStatus['hop'],
  work: () => Promise<Partial<Omit<Look, 'hop'>> & { note: string }>,
): Promise<Look> {
  const started = performance.now()
  try {
    const seen = await inTime(work())
    return { hop, id: '', state: 'ok', ms: performance.now() - started, ...seen }
  } catch (error) {
    const { name, message } = error as Error
    const said = [name === 'Error' ? '' : name, message.split('\n')[0]].filter(Boolean).join(': ')
    return { hop, id: '', state: 'broken', note: said, ms: performance.now() - started }
  }
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`no answer within ${LOOK_MS / 1000} s`)), LOOK_MS)
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
