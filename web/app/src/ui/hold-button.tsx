/**
 * A button that acts after it was held for a second, against pocket and slip (research F14). A short press asks instead, and so
 * does a click without a pointer (keyboard, screen reader, voice).
 */
import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'

/** How long it has to be held, milliseconds. */
export const HOLD_MS = 1000

/** Who slides the finger so far off the button has changed his mind, pixels. */
const SLIP_PX = 48

export function HoldButton({
  children,
  heldText,
  onHeld,
  onAsk,
  disabled = false,
  describedBy,
}: {
  children: ComponentChildren
  /** Shown while it is held. */
  heldText: string
  onHeld: () => void
  /** It was not held: ask for confirmation. */
  onAsk: () => void
  disabled?: boolean
  describedBy?: string
}) {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const [isHeld, setHeld] = useState(false)
  useEffect(() => () => clearTimeout(timer.current), [])

  function begin(event: PointerEvent): void {
    if (disabled || event.button !== 0)
      return // Or the hold would end without a word when the page moves under a resting finger.
    ;(event.currentTarget as HTMLElement).setPointerCapture(event.pointerId)
    setHeld(true)
    clearTimeout(timer.current)
    timer.current = setTimeout(() => {
      timer.current = undefined
      setHeld(false)
      navigator.vibrate?.(30)
      onHeld()
    }, HOLD_MS)
  }
  function end(isRelease: boolean): void {
    if (timer.current === undefined) return
    clearTimeout(timer.current)
    timer.current = undefined
    setHeld(false)
    if (isRelease) onAsk()
  }
  return (
    <button
      type="button"
      class={`hold ${isHeld ? 'is-held' : ''}`}
      disabled={disabled}
      aria-describedby={describedBy}
      onPointerDown={begin}
      onPointerUp={() => end(true)}
      onPointerMove={(event) => {
        if (isFar(event)) end(false)
      }}
      onPointerCancel={() => end(false)}
      onContextMenu={(event) => event.preventDefault()}
      onClick={(event) => {
        // detail counts clicks of a pointer: 0 is a key, or a screen reader.
        if (event.detail === 0) onAsk()
      }}
    >
      <span class="fill" aria-hidden="true" />
      <span class="text">{isHeld ? heldText : children}</span>
    </button>
  )
}

function isFar({ currentTarget, clientX, clientY }: PointerEvent): boolean {
  const { left, right, top, bottom } = (currentTarget as HTMLElement).getBoundingClientRect()
  const isBeside = clientX < left - SLIP_PX || clientX > right + SLIP_PX
  return isBeside || clientY < top - SLIP_PX || clientY > bottom + SLIP_PX
}
