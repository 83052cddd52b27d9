/** Light, dark, or as the device has it. */
import { type Signal, signal } from '@preact/signals'

export type Theme = 'auto' | 'light' | 'dark'
const STORED = 'pesebre.theme'

export const theme: Signal<Theme> = signal(read())

export function setTheme(chosen: Theme): void {
  theme.value = chosen
  show(chosen)
  try {
    localStorage.setItem(STORED, chosen)
  } catch {
    // As the device has it next time.
  }
}

/** Before the first rendering. */
export function show(chosen: Theme = theme.peek()): void {
  if (chosen === 'auto') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = chosen
}

function read(): Theme {
  try {
    const kept = localStorage.getItem(STORED)
    return kept === 'light' || kept === 'dark' ? kept : 'auto'
  } catch {
    return 'auto'
  }
}
