import type { Security } from '@pesebre/coap/endpoint/security'
import { nodeCrypto } from '@pesebre/coap/node-crypto'
import { deriveSecurityContext, type SecurityContext } from '@pesebre/coap/oscore/context'
import { createSecurity } from '@pesebre/coap/oscore/endpoint-security'
import { isSame } from '@pesebre/coap/oscore/key-derivation'
import { ReplayWindow } from '@pesebre/coap/oscore/replay-window'
import { SEQUENCE_END, SenderSequence } from '@pesebre/coap/oscore/sender-sequence'

/**
 * The security contexts of the OSCORE interoperability tests: A (client) with B (server), and C with D, which have an ID Context that
 * travels with the requests. Their keys are published: they keep nothing secret.
 */
const MASTER_SECRET = Uint8Array.from({ length: 16 }, (_, at) => at + 1)
const MASTER_SALT = Uint8Array.from([0x9e, 0x7c, 0xa9, 0x22, 0x23, 0x78, 0x63, 0x40])
const CLIENT_ID = new Uint8Array(0)
const SERVER_ID = Uint8Array.of(0x01)
export const ID_CONTEXT = Uint8Array.from([0x37, 0xcb, 0xf3, 0x21, 0x00, 0x17, 0xa2, 0xd3])

export function clientContext(idContext?: Uint8Array): SecurityContext {
  return contextOf(CLIENT_ID, SERVER_ID, idContext)
}

export function serverContext(idContext?: Uint8Array): SecurityContext {
  return contextOf(SERVER_ID, CLIENT_ID, idContext)
}

function contextOf(senderId: Uint8Array, recipientId: Uint8Array, idContext?: Uint8Array): SecurityContext {
  const common = { masterSecret: MASTER_SECRET, masterSalt: MASTER_SALT, idContext }
  return deriveSecurityContext({ ...common, senderId, recipientId }, nodeCrypto)
}

/**
 * What the plugtest server opens requests with. What it has seen is in memory only: whoever begins at sequence number 0 again has to
 * start the server again.
 */
export function plugtestSecurity(): Security {
  const b = { context: serverContext(), replayWindow: new ReplayWindow(), principal: 'A' }
  const d = { context: serverContext(ID_CONTEXT), replayWindow: new ReplayWindow(), principal: 'C' }
  return createSecurity({
    find: (kid, kidContext) => {
      if (!isSame(kid, CLIENT_ID)) return undefined
      return kidContext === undefined ? b : d
    },
    sequence: new SenderSequence(0, SEQUENCE_END),
  })
}
