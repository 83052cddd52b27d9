import { CODE, METHOD } from '@pesebre/coap/codec/codes'
import { createEndpoint } from '@pesebre/coap/endpoint/endpoint'
import type { Request, Response } from '@pesebre/coap/endpoint/types'
import { nodeCrypto } from '@pesebre/coap/node-crypto'
import { deriveSecurityContext } from '@pesebre/coap/oscore/context'
import { createRequestSecurity } from '@pesebre/coap/oscore/endpoint-client'
import { createSecurity } from '@pesebre/coap/oscore/endpoint-security'
import { isSame } from '@pesebre/coap/oscore/key-derivation'
import { ReplayWindow } from '@pesebre/coap/oscore/replay-window'
import { SenderSequence } from '@pesebre/coap/oscore/sender-sequence'
import t from 'tap'
import { endpointOf, seedOf } from '../endpoint/harness.ts'

t.test('the example of the README: a server and a client', async (t) => {
  const masterSecret = new Uint8Array(16).fill(1)
  const kid = Uint8Array.of(0x10, 0x1a, 0x2b, 0x3c, 0x4d)
  const stored: [string, number, string][] = []
  const store = async (principal: string, sequence = -1, payload: Uint8Array): Promise<void> => {
    stored.push([principal, sequence, Buffer.from(payload).toString()])
  }

  const feeder = {
    context: deriveSecurityContext(
      { masterSecret, senderId: Uint8Array.of(0x67), recipientId: kid },
      nodeCrypto,
    ),
    replayWindow: new ReplayWindow(),
    principal: 'feeder-1a2b3c4d',
  }
  const security = createSecurity({
    find: (id) => (isSame(id, kid) ? feeder : undefined),
    sequence: new SenderSequence(0, 64),
  })
  const endpoint = createEndpoint({ seed: seedOf(1), security })

  async function answer(request: Request): Promise<Response> {
    if (request.principal === undefined) return { code: CODE.UNAUTHORIZED }
    await store(request.principal, request.sequence, request.payload)
    return { code: CODE.CHANGED, settled: true }
  }

  const device = deriveSecurityContext(
    { masterSecret, senderId: kid, recipientId: Uint8Array.of(0x67) },
    nodeCrypto,
  )
  const client = endpointOf()
  const server = { address: '192.0.2.2', port: 5683 }
  const here = { address: '192.0.2.1', port: 5000 }
  const codes: number[] = []
  for (const protection of [
    createRequestSecurity({ context: device, sequence: new SenderSequence(7, 64) }),
    undefined,
  ]) {
    const payload = Buffer.from('hay')
    const request = { peer: server, method: METHOD.POST, path: ['u'], payload, security: protection }
    const [sent] = client.request(request, 0).effects
    const [asked] = sent?.kind === 'send' ? endpoint.receive(sent.bytes, here, 0) : []
    if (asked?.kind !== 'request') return t.fail('not asked')
    const [answered] = endpoint.respond(asked.exchange, await answer(asked.request), 0)
    const [end] = answered?.kind === 'send' ? client.receive(answered.bytes, server, 0) : []
    if (end?.kind === 'response') codes.push(end.response.code)
  }
  t.same(stored, [['feeder-1a2b3c4d', 7, 'hay']])
  t.same(codes, [CODE.CHANGED, CODE.UNAUTHORIZED])
})
