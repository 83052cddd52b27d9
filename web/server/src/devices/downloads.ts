import { createHash, randomBytes } from 'node:crypto'
import type { Download, DownloadForm } from '@pesebre/contract/api/device'
import type { Kit, KitFile } from './kit.ts'

/**
 * What was made for a device and is shown once. In memory only: nothing that holds a key is written down, and after a restart
 * the device must be replaced.
 */
export type Downloads = {
  offer(thing: string, kit: Kit, by: string): Download
  /** A form that was not taken yet, by the admin it was made for; then it is gone. */
  take(ask: { thing: string; token: string; form: DownloadForm; by: string }): KitFile | undefined
  /** Nobody can fetch it any more. */
  withdraw(thing: string): void
}

/** How long somebody has to fetch it, milliseconds. */
export const OFFER_MS = 15 * 60_000
/** At the same time; the oldest goes first. */
const OFFERS_MAX = 200

type Offer = {
  readonly hash: string
  readonly by: string
  readonly expires: number
  readonly left: Map<DownloadForm, KitFile>
}

export function createDownloads(now: () => number): Downloads {
  const offers = new Map<string, Offer>()

  function sweep(): void {
    for (const [thing, { expires, left }] of offers) {
      if (expires <= now() || left.size === 0) offers.delete(thing)
    }
  }

  return {
    offer(thing, kit, by) {
      sweep()
      for (const oldest of offers.keys()) {
        if (offers.size < OFFERS_MAX) break
        offers.delete(oldest)
      }
      const token = randomBytes(24).toString('base64url')
      const expires = now() + OFFER_MS
      offers.set(thing, { hash: hashOf(token), by, expires, left: new Map(kit) })
      // The timer that forgets it even if nobody asks: keys do not stay in memory longer than they are offered.
      setTimeout(sweep, OFFER_MS + 1000).unref()
      const url = `/api/devices/${encodeURIComponent(thing)}/credentials/${token}`
      return { url, token, forms: [...kit.keys()], expires }
    },
    take({ thing, token, form, by }) {
      sweep()
      const offer = offers.get(thing)
      // Hashes are compared, so that the time it takes says nothing of the token.
      if (offer === undefined || offer.by !== by || offer.hash !== hashOf(token)) return undefined
      const found = offer.left.get(form)
      offer.left.delete(form)
      return found
    },
    withdraw: (thing) => void offers.delete(thing),
  }
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}
