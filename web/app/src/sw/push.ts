/** Push messages on this device (Push API; on iOS only for an app on the home screen). */
import { get, post, remove } from '../data/client.ts'

/** `iphone`: it could, once it is on the home screen. */
export type PushState = 'on' | 'off' | 'blocked' | 'iphone' | 'unsupported'

export async function pushState(): Promise<PushState> {
  if (!('serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window)) {
    const isApple = /iPhone|iPad/.test(navigator.userAgent)
    return isApple ? 'iphone' : 'unsupported'
  }
  if (Notification.permission === 'denied') return 'blocked'
  const registration = await navigator.serviceWorker.getRegistration()
  if (registration === undefined) return 'unsupported'
  return (await registration.pushManager.getSubscription()) === null ? 'off' : 'on'
}

/** Asks the person, the browser and the server, in this order. Must follow a press. */
export async function subscribe(): Promise<void> {
  if ((await Notification.requestPermission()) !== 'granted') return
  const registration = await navigator.serviceWorker.ready
  const { key } = await get<{ key: string }>('/push/key')
  const subscription = await registration.pushManager.subscribe({
    userVisibleOnly: true,
    applicationServerKey: key,
  })
  await post('/push/subscriptions', subscription.toJSON())
}

export async function unsubscribe(): Promise<void> {
  const registration = await navigator.serviceWorker.ready
  const subscription = await registration.pushManager.getSubscription()
  if (subscription === null) return
  await subscription.unsubscribe()
  await remove('/push/subscriptions', { endpoint: subscription.endpoint })
}
