/** One short message at a time, read out politely, gone by itself. */
import { signal } from '@preact/signals'
import { Icon } from './icon.tsx'

const message = signal<{ text: string; isBad: boolean } | undefined>(undefined)
let timer: ReturnType<typeof setTimeout> | undefined
const SHOWN_MS = 5_000

export function toast(text: string, { isBad = false }: { isBad?: boolean } = {}): void {
  clearTimeout(timer)
  message.value = { text, isBad }
  timer = setTimeout(() => {
    message.value = undefined
  }, SHOWN_MS)
}

/** Mounted once: the region must be there before the message, or screen readers miss it. */
export function Toasts() {
  const shown = message.value
  return (
    <div class="toasts" role="status">
      {shown && (
        <p class={`toast ${shown.isBad ? 'bad' : ''}`}>
          <Icon name={shown.isBad ? 'warning' : 'check'} />
          {shown.text}
        </p>
      )}
    </div>
  )
}
