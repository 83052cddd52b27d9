import { signal } from '@preact/signals'

/** A newer version has been taken in and waits for a reload. */
export const isNewer = signal(false)

/** Registers the service worker: the app then starts without a network, and takes push messages. */
export function startWorker(): void {
  if (!('serviceWorker' in navigator) || import.meta.env.DEV) return
  const isFirst = navigator.serviceWorker.controller === null
  navigator.serviceWorker.addEventListener('controllerchange', () => {
    if (!isFirst) isNewer.value = true
  })
  window.addEventListener('load', () => {
    navigator.serviceWorker
      .register('/sw.js')
      .catch((error: unknown) => console.warn('No service worker', error))
  })
}
