import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { METHOD } from '@pesebre/coap/codec/codes'
import { createServer, type IncomingMessage, type OutgoingMessage } from 'coap'
import t, { type Test } from 'tap'
import type { CoapResponse } from '../../cli/src/coap.ts'
import { parseCoapUrl } from '../../cli/src/coap-url.ts'
import { openCoapClient } from '../../cli/src/udp.ts'

type Handler = (request: IncomingMessage, response: OutgoingMessage) => void

/** A server that is not ours (npm `coap`), and our client for it. */
async function pair(t: Test, handler: Handler) {
  const server = createServer({ type: 'udp4' }, handler)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  const { port } = (server as unknown as { _sock: { address(): AddressInfo } })._sock.address()
  const client = await openCoapClient(parseCoapUrl(`coap://127.0.0.1:${port}`, 0))
  t.teardown(() => {
    client.close()
    server.close()
  })
  return client
}

const text = ({ payload }: CoapResponse) => new TextDecoder().decode(payload)
const get = { method: METHOD.GET, path: ['a', 'b'], query: ['x=1'] }

t.test('a client sends path, query, format and body, and gets the answer', async (t) => {
  const client = await pair(t, (request, response) => {
    response.code = '2.04'
    response.setOption('Content-Format', 'text/plain')
    response.end(`${request.method} ${request.url} ${request.headers['Content-Format']} ${request.payload}`)
  })
  const payload = new TextEncoder().encode('{"a":1}')
  const answer = await client.request({ ...get, method: METHOD.POST, contentFormat: 50, payload }, 5000)
  t.match(answer, { code: 0x44, contentFormat: 0 })
  t.equal(text(answer), 'POST /a/b?x=1 application/json {"a":1}')
  const non = await client.request({ ...get, confirmable: false }, 5000)
  t.equal(text(non), 'GET /a/b?x=1 undefined ')
})

t.test('a client sends and takes bodies larger than a datagram', async (t) => {
  const client = await pair(t, (request, response) => response.end(request.payload.toString().repeat(2)))
  const payload = new TextEncoder().encode('0123456789'.repeat(300))
  const answer = await client.request({ ...get, method: METHOD.POST, payload }, 10_000)
  t.equal(text(answer), '0123456789'.repeat(600))
})

t.test('a client observes until it is told to stop, and tells the server', async (t) => {
  const over = Promise.withResolvers<void>()
  const client = await pair(t, (request, response) => {
    if (request.headers['Observe'] !== 0) {
      response.end('once')
      return
    }
    let count = 0
    response.write(`state ${count}`)
    const timer = setInterval(() => response.write(`state ${++count}`), 20)
    response.on('finish', () => {
      clearInterval(timer)
      over.resolve()
    })
  })
  const enough = new AbortController()
  const seen: string[] = []
  for await (const answer of client.observe({ path: ['obs'], query: [] }, enough.signal)) {
    seen.push(text(answer))
    if (seen.length === 3) enough.abort()
  }
  t.strictSame(seen, ['state 0', 'state 1', 'state 2'])
  await over.promise
})

t.test('a client that may not observe gets one answer', async (t) => {
  const peer = createSocket('udp4').bind(0, '127.0.0.1')
  await once(peer, 'listening')
  peer.on('message', (request, from) => {
    // 2.05 in an ACK with the token, and without the Observe option.
    const head = Uint8Array.of(0x60 | (request[0]! & 15), 0x45, request[2]!, request[3]!)
    const token = request.subarray(4, 4 + (request[0]! & 15))
    peer.send(
      Buffer.concat([head, token, Uint8Array.of(0xff), Buffer.from('only this')]),
      from.port,
      from.address,
    )
  })
  const client = await openCoapClient(parseCoapUrl(`coap://127.0.0.1:${peer.address().port}`, 0))
  const { signal } = new AbortController()
  const seen: string[] = []
  for await (const answer of client.observe({ path: ['x'], query: [] }, signal)) seen.push(text(answer))
  t.strictSame(seen, ['only this'])
  client.close()
  peer.close()
})

t.test('a client says in one line why there is no answer', async (t) => {
  const peer = createSocket('udp4').bind(0, '127.0.0.1')
  await once(peer, 'listening')
  const { port } = peer.address()
  const client = await openCoapClient(parseCoapUrl(`coap://127.0.0.1:${port}`, 0))
  await t.rejects(client.request(get, 100), {
    name: 'Failure',
    message: `Cannot reach 127.0.0.1:${port}: no answer in time: is a CoAP server there, and does UDP reach it?`,
  })
  peer.once('message', (request, { port: from }) => {
    peer.send(Uint8Array.of(0x70, 0, request[2]!, request[3]!), from, '127.0.0.1')
  })
  await t.rejects(client.request(get, 5000), {
    message: `Cannot reach 127.0.0.1:${port}: it rejected the message (RST): is it a CoAP server?`,
  })
  peer.close()
  await once(peer, 'close')
  const refused = `Nothing listens on UDP 127.0.0.1:${port}: start it with npm start`
  await t.rejects(client.request(get, 5000), { message: refused })
  client.close()
  await t.rejects(openCoapClient(parseCoapUrl('coap://nowhere.invalid/', 0)), { name: 'Failure' })
})
