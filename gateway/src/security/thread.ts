import type { Security } from '@pesebre/coap/endpoint/security'
import { createSecurity } from '@pesebre/coap/oscore/endpoint-security'
import type { FleetKeys } from '@pesebre/contract/fleet-keys'
import { createRateLimit } from '../app/rate.ts'
import type { Config } from '../config.ts'
import { createContexts } from './contexts.ts'
import { createNodeCrypto, hkdfExpand } from './node-crypto.ts'
import { openSequence } from './sequence.ts'
import { openWindows, type WindowsMemory } from './windows.ts'

/** What all threads share of OSCORE. */
export type SharedSecurity = {
  readonly fleetKeys: FleetKeys
  readonly windows: WindowsMemory
  readonly sequence: SharedArrayBuffer
}

/** Refusals of all addresses together may be as many as those of this many addresses: what is above gets silence. */
const ADDRESSES_AT_ONCE = 100
const ADDRESSES_MAX = 10_000

/** OSCORE for one thread. */
export function openThreadSecurity(
  { fleetKeys, windows, sequence }: SharedSecurity,
  config: Config,
): { security: Security; contexts: () => number } {
  const contexts = createContexts({
    fleetKeys,
    gatewayId: config.gatewayId,
    crypto: createNodeCrypto(),
    expand: hkdfExpand,
    windows: openWindows(windows),
    kept: config.contextsMax,
  })
  const security = createSecurity({
    find: contexts.find,
    sequence: openSequence(sequence, Date.now),
    // What is wrong with it is nobody's business who has no key.
    refusals: 'alike',
  })
  return { security: quiet(security, config), contexts: contexts.count }
}

/** Answers refusals (which go to addresses that nobody has proven) only so often, per address and in all. */
function quiet(security: Security, { refusalRate, refusalBurst }: Config): Security {
  const allowAddress = createRateLimit({ rate: refusalRate, burst: refusalBurst, keysMax: ADDRESSES_MAX })
  const allowAll = createRateLimit({
    rate: refusalRate * ADDRESSES_AT_ONCE,
    burst: refusalBurst * ADDRESSES_AT_ONCE,
    keysMax: 1,
  })
  return {
    open: (message, peer, now) => {
      const opened = security.open(message, peer, now)
      if (opened.kind !== 'refused' || opened.response === undefined) return opened
      if (allowAddress(peer.address, now) && allowAll('', now)) return opened
      return { kind: 'refused', reason: opened.reason }
    },
  }
}
