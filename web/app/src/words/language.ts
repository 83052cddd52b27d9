/** Which language is spoken, and the words of it. */
import type { Language } from '@pesebre/contract/api/values'
import { computed, type Signal, signal } from '@preact/signals'
import { choose } from './choose.ts'
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

function stored(): string | null {
  try {
    return localStorage.getItem(STORED)
  } catch {
    return null
  }
}
