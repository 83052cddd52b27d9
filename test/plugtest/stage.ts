/** What the runs of the test descriptions share: a server, a client, and a path between them that remembers every datagram. */
import { isRequest } from '@pesebre/coap/codec/codes'
import { decode, type Message, type Option, TYPE } from '@pesebre/coap/codec/message'
import { OPTION } from '@pesebre/coap/codec/options'
import { readUint } from '@pesebre/coap/codec/uint'
import t, { type Test } from 'tap'
import { type Passed, startUdpProxy, type UdpProxy } from '../fakes/udp-proxy.ts'
import type { Asked, Client, Told, Watch } from '../interop/clients/client.ts'
import { lacksLibcoapClient, libcoapClient } from '../interop/clients/libcoap.ts'
import { npmCoapClient } from '../interop/clients/npm-coap.ts'
import { openOurClient } from '../interop/clients/ours.ts'
import { type PlugtestOptions, type PlugtestServer, startPlugtestServer } from './server.ts'

/** A message as it went over the path. */
export type Wire = Message & Pick<Passed, 'from' | 'fate' | 'client'>

export type Scene = {
  readonly client: Client
  readonly server: PlugtestServer
  readonly proxy: UdpProxy
  ask(asked: Asked): Promise<Told>
  observe(asked: Asked): Watch
  /** All messages so far. */
  wire(): Wire[]
}

const CLIENTS = {
  ours: { skip: false, open: () => openOurClient({ ackTimeoutMs: 200 }) },
  libcoap: { skip: lacksLibcoapClient, open: async () => libcoapClient() },
  npm: { skip: false, open: async () => npmCoapClient() },
} as const
export type ClientName = keyof typeof CLIENTS
export const EVERY_CLIENT = Object.keys(CLIENTS) as ClientName[]

export type Description = {
  /** Those that can do what is described; default all. */
  readonly clients?: readonly ClientName[]
  readonly server?: PlugtestOptions
}

/** Runs one test description with each client, each time with a server of its own. */
export function td(
  id: string,
  { clients = EVERY_CLIENT, server = {} }: Description,
  run: (t: Test, scene: Scene) => Promise<void>,
): void {
  eachClient(id, clients, async (t, open) => {
    const scene = await setUp(await open(), server)
    t.teardown(() => tearDown(scene))
    await run(t, scene)
  })
}

/** A named test for each of the clients. */
export function eachClient(
  id: string,
  clients: readonly ClientName[],
  run: (t: Test, open: () => Promise<Client>, name: ClientName) => Promise<void>,
): void {
  for (const name of clients) {
    const { skip, open } = CLIENTS[name]
    void t.test(`${id} [${name}]`, { skip }, (t) => run(t, open, name))
  }
}

/** A server that changes and waits only as the test says, a client, and the path between them. */
export async function setUp(client: Client, options: PlugtestOptions = {}): Promise<Scene> {
  const server = await startPlugtestServer({ periodMs: Infinity, separateMs: 150, ...options })
  const proxy = await startUdpProxy(server.port)
  return {
    client,
    server,
    proxy,
    ask: (asked) => client.ask(proxy.port, asked),
    observe: (asked) => client.observe(proxy.port, asked),
    wire: () => proxy.trace.map(wireOf),
  }
}

export async function tearDown({ client, server, proxy }: Scene): Promise<void> {
  await client.close()
  await Promise.all([server.close(), proxy.close()])
}

function wireOf({ bytes, ...passed }: Passed): Wire {
  const decoded = decode(bytes)
  if (!decoded.ok) throw new Error(`Failed to decode a datagram of the ${passed.from}: ${decoded.reason}`)
  return { ...decoded.message, ...passed }
}

/** Resolves when the condition holds. Rejects after half a minute, which is no limit to reach but an end for a broken test. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  for (const end = Date.now() + 30_000; !holds(); ) {
    if (Date.now() > end) throw new Error(`Failed to see in half a minute: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Requests among the messages, in order, repeats included. */
export function requests(wire: readonly Wire[]): Wire[] {
  return wire.filter(({ from, code }) => from === 'client' && isRequest(code))
}

/** Messages of the server under the token of a request, in order: the answer, or the notifications. */
export function answers(wire: readonly Wire[], { token, client }: Wire): Wire[] {
  return wire.filter(
    (message) =>
      message.from === 'server' &&
      message.code > 0 &&
      message.client === client &&
      hex(message.token) === hex(token),
  )
}

/** The one exchange that there should be: what the client sent, and what it got. */
export function exchange(t: Test, scene: Scene, at = 0): { request: Wire; response: Wire } {
  const wire = scene.wire()
  const request = requests(wire)[at]
  if (request === undefined) throw new Error(`Failed to find request ${at} of the client`)
  const response = answers(wire, request).find(
    (candidate) => candidate.type !== TYPE.ACK || candidate.messageId === request.messageId,
  )
  if (response === undefined) throw new Error(`Failed to find the answer to request ${at}`)
  if (request.type === TYPE.CON && response.type === TYPE.ACK) {
    t.equal(response.messageId, request.messageId, 'the same message id')
  }
  t.same(hex(response.token), hex(request.token), 'the same token')
  if (response.payload.length > 0 && response.code >> 5 === 2) {
    t.ok(has(response, OPTION.CONTENT_FORMAT), 'a payload has a Content-Format')
  }
  return { request, response }
}

export function has({ options }: Message, number: number): boolean {
  return options.some((option) => option.number === number)
}

export function bytesIn({ options }: Message, number: number): Uint8Array[] {
  return options.filter((option) => option.number === number).map(({ value }) => value)
}

export function textsIn(message: Message, number: number): string[] {
  return bytesIn(message, number).map((value) => Buffer.from(value).toString())
}

/** The value of a uint option, undefined if the message does not have it. */
export function uintIn(message: Message, number: number): number | undefined {
  const [value] = bytesIn(message, number)
  return value && readUint(value, 0, value.length)
}

export function text({ payload }: Pick<Message, 'payload'>): string {
  return Buffer.from(payload).toString()
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

export function option(number: number, value: Uint8Array | string = new Uint8Array(0)): Option {
  return { number, value: typeof value === 'string' ? Buffer.from(value) : value }
}
