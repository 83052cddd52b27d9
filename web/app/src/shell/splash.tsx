/** Before anything is known: the sign of the house, nothing that jumps. */
import type { ComponentChildren } from 'preact'
import { Mark } from '../ui/icon.tsx'

export function Splash({ children }: { children?: ComponentChildren }) {
  return (
    <main class="splash">
      <Mark size={72} />
      {children}
    </main>
  )
}

/** The frame of pages for people who are not signed in. */
export function Welcome({ children }: { children: ComponentChildren }) {
  return (
    <div class="welcome">
      <header class="welcome-brand">
        <Mark size={56} />
        <span class="wordmark">Pesebre</span>
      </header>
      <main id="main" class="welcome-card card">
        {children}
      </main>
    </div>
  )
}
