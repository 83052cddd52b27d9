import type { Language } from '@pesebre/contract/api/values'

/** The kept choice, else the first of the browser's languages that there is; Spanish for its sisters in Spain. */
export function choose(kept: string | null, preferred: readonly string[]): Language {
  for (const tag of [kept ?? '', ...preferred]) {
    const primary = tag.slice(0, 2).toLowerCase()
    if (primary === 'es' || primary === 'en') return primary
    if (['ca', 'gl', 'eu'].includes(primary)) return 'es'
  }
  return 'en'
}
