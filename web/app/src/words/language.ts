/** Which language is spoken, and the words of it. */
import type { Language } from '@pesebre/contract/api/values'
import { computed, type Signal, signal } from '@preact/signals'
import { en, type Words } from './en.ts'
import { es } from './es.ts'

const CATALOGUES: Record<Language, Words> = { es, en }
const STORED = 'pesebre.language'

export const language: Signal<Language> = signal(choose(stored(), navigator.languages))
export const words = computed(() => CATALOGUES[language.value])

/** Speaks another language from now on, and after the next start. */
export function speak(chosen: Language): void {
  language.value = chosen
  document.documentElement.lang = chosen
  try {
    localStorage.setItem(STORED, chosen)
  } catch {
    // A browser that keeps nothing: it is asked again next time.
  }
}

/** The stored choice, else the first of the browser's languages that there is; Spanish for its sisters in Spain. */
export function choose(kept: string | null, preferred: readonly string[]): Language {
  for (const tag of [kept ?? '', ...preferred]) {
    const primary = tag.slice(0, 2).toLowerCase()
    if (primary === 'es' || primary === 'en') return primary
    if (['ca', 'gl', 'eu'].includes(primary)) return 'es'
  }
  return 'en'
}

function stored(): string | null {
  try {
    return localStorage.getItem(STORED)
  } catch {
    return null
  }
}
