import type { Downlink, Outcome, Uplink } from '@pesebre/contract/check-in'
import type { DeviceIdentity } from '@pesebre/contract/identity'
import { createUdpPeer } from '../../fakes/udp-peer.ts'
import { createSecureDevice, hear } from '../../gateway/secure-device.ts'

/** A feeder that does what the test says, with the identity that the web app handed out. */
export type Feeder = {
  /** One check-in. Resolves with what the gateway answered: code and downlink. */
  checkIn(uplink?: Partial<Uplink>): Promise<{ code: string; downlink: Downlink }>
  /** Checks in until a command comes, and resolves with its number and grams. */
  command(): Promise<{ n: number; grams: number }>
  /** Says what became of a command. */
  say(outcome: Outcome): Promise<void>
  close(): Promise<void>
}

const INTERVAL_S = 60
const PATIENCE_MS = 15_000

export async function startFeeder(identity: DeviceIdentity, coapPort: number): Promise<Feeder> {
  const device = createSecureDevice({ number: identity.number, secret: Buffer.from(identity.secret, 'hex') })
  const peer = await createUdpPeer({ to: coapPort })
  let held = 0

  async function checkIn(uplink: Partial<Uplink> = {}): Promise<{ code: string; downlink: Downlink }> {
    const state = { hopper_pct: 71, battery_mv: 3900, temp_c: 12.5, rssi_dbm: -61, fed_g_today: 0 }
    const sent = device.checkIn({ state, interval_s: INTERVAL_S, clock: 0, config_version: held, ...uplink })
    const { code, downlink } = hear(await peer.ask(sent.bytes), sent)
    // It takes whatever configuration it is given, and says so in its next report.
    if (downlink.config) held = downlink.config.version
    return { code, downlink }
  }

  async function command(): Promise<{ n: number; grams: number }> {
    const until = Date.now() + PATIENCE_MS
    for (;;) {
      const { downlink } = await checkIn({ changed: false })
      const first = downlink.commands?.[0]
      if (first) return first
      if (Date.now() > until) throw new Error('Failed to be given a command: none came')
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }

  return {
    checkIn,
    command,
    say: async (outcome) => {
      await checkIn({ outcomes: [outcome] })
    },
    close: peer.close,
  }
}
