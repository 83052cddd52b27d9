/** The one WebSocket to `/api/live`: says what the pages show, resumes after sleep, and tells when it is not live. */
import type { LiveEvent, LiveMessage, Watch } from '@pesebre/contract/api/live'
import { effect, type Signal, signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { delayOf, merge, type Wanted } from './watch.ts'

/** Whether changes arrive by themselves at this moment. Pages say so when they do not. */
export const isLive: Signal<boolean> = signal(false)

/** What each mounted page wants, by a number of its own. */
const wishes: Signal<ReadonlyMap<number, Wanted>> = signal(new Map())
let lastWish = 0
let socket: WebSocket | undefined
let cursor: string | undefined
let attempt = 0
let timer: ReturnType<typeof setTimeout> | undefined
let onEvent: (event: LiveEvent) => void = () => undefined
let isStarted = false

/** Opens the socket and keeps it open until `stopLive`. */
export function startLive(handler: (event: LiveEvent) => void): void {
  onEvent = handler
  if (isStarted) return
  isStarted = true
  effect(tell)
  document.addEventListener('visibilitychange', wakeUp)
  window.addEventListener('online', wakeUp)
  connect()
}

/** After signing out. */
export function stopLive(): void {
  isStarted = false
  cursor = undefined
  clearTimeout(timer)
  document.removeEventListener('visibilitychange', wakeUp)
  window.removeEventListener('online', wakeUp)
  socket?.close()
  socket = undefined
  isLive.value = false
}

/** What the calling page shows, as long as it is mounted. */
export function useWatch(wanted: Wanted): void {
  const text = JSON.stringify(wanted)
  useEffect(() => {
    const id = ++lastWish
    wishes.value = new Map(wishes.peek()).set(id, JSON.parse(text) as Wanted)
    return () => {
      const rest = new Map(wishes.peek())
      rest.delete(id)
      wishes.value = rest
    }
  }, [text])
}

function connect(): void {
  if (!isStarted || (socket && socket.readyState <= WebSocket.OPEN)) return
  const opened = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/api/live`)
  socket = opened
  opened.onopen = () => {
    attempt = 0
    tell()
  }
  opened.onmessage = ({ data }) => {
    const message = JSON.parse(data as string) as LiveMessage
    cursor = message.cursor
    if (message.kind === 'watching') isLive.value = true
    else if (message.kind === 'link') isLive.value = message.isLive
    onEvent(message)
  }
  opened.onclose = () => {
    if (socket !== opened) return
    socket = undefined
    isLive.value = false
    if (!isStarted) return
    clearTimeout(timer)
    timer = setTimeout(connect, delayOf(attempt++, Math.random()))
  }
}

function tell(): void {
  const watch = merge([...wishes.value.values()])
  if (socket?.readyState !== WebSocket.OPEN) return
  const message: Watch = { watch, ...(cursor !== undefined && { since: cursor }) }
  socket.send(JSON.stringify(message))
}

/** A phone that wakes up does not wait for the back-off. */
function wakeUp(): void {
  if (document.visibilityState !== 'visible' || !isStarted) return
  attempt = 0
  clearTimeout(timer)
  connect()
}
