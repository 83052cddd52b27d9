/**
 * The service worker: keeps the files of the app for a start without a network, and shows push messages. It never keeps an
 * answer of the API: what is shown of a horse is what the server says now, or nothing.
 */
import type { PushMessage } from '@pesebre/contract/api/notification'
import { filesOf, hasExpired, routeOf } from './rules.ts'

declare const self: ServiceWorkerGlobalScope

const CACHE = 'pesebre-1'
const SHELL = '/'

self.addEventListener('install', (event) => {
  event.waitUntil(takeIn().then(() => self.skipWaiting()))
})

self.addEventListener('activate', (event) => {
  event.waitUntil(tidy().then(() => self.clients.claim()))
})

self.addEventListener('fetch', (event) => {
  const { request } = event
  const route = routeOf({
    method: request.method,
    mode: request.mode,
    url: new URL(request.url),
    origin: self.location.origin,
  })
  if (route === 'page') event.respondWith(page(request))
  else if (route === 'file') event.respondWith(file(request))
})

self.addEventListener('push', (event) => {
  const message = event.data?.json() as PushMessage | undefined
  if (message === undefined) return
  const { title, body, tag, url, lang, urgent } = message
  event.waitUntil(
    self.registration.showNotification(title, {
      body,
      tag,
      lang,
      icon: '/icon-192.png',
      badge: '/badge-96.png',
      requireInteraction: urgent,
      data: { url },
    }),
  )
})

self.addEventListener('notificationclick', (event) => {
  event.notification.close()
  const { url } = event.notification.data as { url: string }
  event.waitUntil(open(url))
})

/** The page and all files that it names. */
async function takeIn(): Promise<void> {
  const cache = await caches.open(CACHE)
  const shell = await fetch(SHELL, { cache: 'no-cache' })
  const html = await shell.clone().text()
  await cache.put(SHELL, shell)
  await cache.addAll(filesOf(html))
}

/** Drops caches of older forms, and files of older versions. */
async function tidy(): Promise<void> {
  for (const name of await caches.keys()) if (name !== CACHE) await caches.delete(name)
  const cache = await caches.open(CACHE)
  const kept = await cache.match(SHELL)
  const files = kept === undefined ? [] : filesOf(await kept.text())
  for (const request of await cache.keys())
    if (hasExpired(new URL(request.url).pathname, files)) await cache.delete(request)
}

/** From the network, so that a new version is seen at once; from the cache without one. */
async function page(request: Request): Promise<Response> {
  try {
    return await fetch(request)
  } catch (error) {
    const kept = await caches.match(SHELL)
    if (kept === undefined) throw error
    return kept
  }
}

/** Files with a hash in their names never change. */
async function file(request: Request): Promise<Response> {
  const kept = await caches.match(request)
  if (kept !== undefined) return kept
  const answer = await fetch(request)
  if (answer.ok) {
    const cache = await caches.open(CACHE)
    await cache.put(request, answer.clone())
  }
  return answer
}

/** Brings the app forward, on the page that the message is about. */
async function open(path: string): Promise<void> {
  const target = new URL(path, self.location.origin)
  if (target.origin !== self.location.origin) return
  const windows = await self.clients.matchAll({ type: 'window', includeUncontrolled: true })
  const found = windows[0]
  if (found === undefined) {
    await self.clients.openWindow(target.href)
    return
  }
  await found.focus()
  found.postMessage({ open: target.pathname + target.search })
}
