import type { HopStatus } from '@pesebre/contract/api/hop'

/** What one look at a hop has shown; when it was, and since when it is so, is added by the watch. */
export type Look = Omit<HopStatus, 'at' | 'since'>

/** Does one thing that the hop must be able to do; what it throws is what is wrong. */
export async function lookAt(
  hop: HopStatus['hop'],
  work: () => Promise<Partial<Omit<Look, 'hop'>> & { note: string }>,
): Promise<Look> {
  const started = performance.now()
  try {
    const seen = await work()
    return { hop, id: '', state: 'ok', ms: performance.now() - started, ...seen }
  } catch (error) {
    const { name, message } = error as Error
    const said = [name === 'Error' ? '' : name, message.split('\n')[0]].filter(Boolean).join(': ')
    return { hop, id: '', state: 'broken', note: said, ms: performance.now() - started }
  }
}
