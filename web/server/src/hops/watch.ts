import type { HopStatus, Hops } from '@pesebre/contract/api/hop'
import { HOP_STATES, SERVICES } from '@pesebre/contract/hops'
import { Gauge, type Registry } from 'prom-client'
import type { Look } from './looks.ts'

/** The hops, looked at again and again. */
export type HopWatch = {
  /** As they are now: looked at, unless that was a moment ago. */
  look(): Promise<Hops>
  /** As they were seen last, without looking. */
  last(): Hops
  close(): void
}

export type HopWatchOptions = {
  readonly looks: readonly (() => Promise<Look | readonly Look[]>)[]
  readonly now: () => number
  /** Whether somebody has the page open: then it looks more often. */
  readonly isWatched: () => boolean
  /** Told of each look while somebody has the page open. */
  readonly onHops: (hops: Hops) => void
  readonly registry?: Registry | undefined
  readonly everyMs?: number
  readonly watchedMs?: number
}

/** A look is good for so long, milliseconds. */
const FRESH_MS = 1_000

export function watchHops(options: HopWatchOptions): HopWatch {
  const { looks, now, isWatched, onHops, registry, everyMs = 30_000, watchedMs = 5_000 } = options
  let hops: Hops = { hops: [], broken: null }
  let lookedAt = Number.NEGATIVE_INFINITY
  let running: Promise<Hops> | undefined

  async function run(): Promise<Hops> {
    const seen = (await Promise.all(looks.map((look) => look()))).flat()
    const at = now()
    lookedAt = performance.now()
    const before = new Map(hops.hops.map((one) => [keyOf(one), one]))
    const found = seen.map((look): HopStatus => {
      const old = before.get(keyOf(look))
      const ms = look.ms === undefined ? {} : { ms: Number(look.ms.toFixed(1)) }
      return { ...look, ...ms, at, since: old?.state === look.state ? old.since : at }
    })
    found.sort((a, b) => SERVICES.indexOf(a.hop) - SERVICES.indexOf(b.hop) || a.id.localeCompare(b.id))
    hops = { hops: found, broken: found.find(({ state }) => state === 'broken')?.hop ?? null }
    return hops
  }

  function look(): Promise<Hops> {
    if (performance.now() - lookedAt < FRESH_MS) return Promise.resolve(hops)
    running ??= run().finally(() => {
      running = undefined
    })
    return running
  }

  let beats = 0
  const timer = setInterval(() => {
    const isDue = ++beats % Math.max(1, Math.round(everyMs / watchedMs)) === 0
    if (!isDue && !isWatched()) return
    void look().then((seen) => {
      if (isWatched()) onHops(seen)
    })
  }, watchedMs)
  timer.unref()
  // Soon, so that the metrics are there, and the age of what waits counts from the start.
  const first = setTimeout(() => void look(), 1_000)
  first.unref()

  if (registry !== undefined) expose(registry, () => hops)
  return {
    look,
    last: () => hops,
    close() {
      clearInterval(timer)
      clearTimeout(first)
    },
  }
}

function keyOf({ hop, id }: Pick<HopStatus, 'hop' | 'id'>): string {
  return `${hop}/${id}`
}

function expose(registry: Registry, hops: () => Hops): void {
  const registers = [registry]
  const gauge = (name: string, help: string, value: (one: HopStatus) => number | undefined) =>
    new Gauge({
      name,
      help,
      registers,
      labelNames: ['hop', 'id'],
      collect() {
        this.reset()
        for (const one of hops().hops) {
          const number = value(one)
          if (number !== undefined) this.set({ hop: one.hop, id: one.id }, number)
        }
      },
    })
  gauge('pesebre_hop_state', `0 ${HOP_STATES.join(', ')} in this order`, ({ state }) =>
    HOP_STATES.indexOf(state),
  )
  gauge('pesebre_hop_depth', 'Messages that wait there', ({ depth }) => depth)
  gauge('pesebre_hop_age_seconds', 'How long the oldest has waited, at most', ({ age }) =>
    age === undefined ? undefined : age / 1000,
  )
}
