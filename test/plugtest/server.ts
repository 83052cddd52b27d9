import type { Settings } from '@pesebre/coap/endpoint/settings'
import { plugtestSecurity } from './oscore.ts'
import { createSite } from './site.ts'
import { openUdpEndpoint, type UdpEndpoint } from './udp-endpoint.ts'

export type PlugtestOptions = {
  host?: string
  port?: number
  /** Milliseconds from tick to tick; Infinity leaves the ticks to the caller. */
  periodMs?: number
  /** How long /separate takes, milliseconds. */
  separateMs?: number
  /** Adds the resources and security contexts of the OSCORE interoperability tests. */
  oscore?: boolean
  settings?: Partial<Settings>
}

export type PlugtestServer = UdpEndpoint & {
  /** Lets everything that changes by itself take its next state. */
  tick(): void
  /** How many resources it has. */
  count(): number
}

/** The descriptions say: changes every five seconds. */
const PERIOD_MS = 5_000
/** "A couple of seconds". */
const SEPARATE_MS = 2_000

/** Starts the plugtest server. Rejects with the error of bind(2). */
export async function startPlugtestServer(options: PlugtestOptions = {}): Promise<PlugtestServer> {
  const { periodMs = PERIOD_MS, separateMs = SEPARATE_MS, oscore = false, settings, ...place } = options
  const periodS = Math.ceil((Number.isFinite(periodMs) ? periodMs : PERIOD_MS) / 1_000)
  const site = createSite({ separateMs, periodS, oscore })
  const udp = await openUdpEndpoint({
    ...place,
    answer: site.answer,
    // What takes longer than this is acknowledged first: at once, as /separate is there to show.
    settings: {
      ackAfterMs: 50,
      bodyMax: 64 * 1024,
      ...(oscore && { security: plugtestSecurity() }),
      ...settings,
    },
  })
  const tick = (): void => udp.notify(site.tick())
  const timer = Number.isFinite(periodMs) ? setInterval(tick, periodMs) : undefined
  return {
    ...udp,
    tick,
    count: site.count,
    close: async () => {
      clearInterval(timer)
      await udp.close()
    },
  }
}
