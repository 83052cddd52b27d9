import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { EMPTY, formatCode } from '@pesebre/coap/codec/codes'
import { decode, encode, TYPE } from '@pesebre/coap/codec/message'
import { OUTCOMES } from '@pesebre/coap/endpoint/outcomes'
import type { Report } from '@pesebre/contract/report'
import type { Test } from 'tap'
import type { GatewayProcess } from '../fakes/gateway-process.ts'
import { createUdpPeer, type UdpPeer } from '../fakes/udp-peer.ts'

export type Flood = {
  count: number
  datagram: (i: number) => Uint8Array
  /** The sockets it comes from, in turn. */
  peers: readonly UdpPeer[]
  /** Whether each datagram has an answer to wait for; otherwise only a ping after each batch says that all were taken. */
  answered: boolean
}

/** A crowd of peers that keeps the books on a gateway: what was sent, and whether any answer was too large. */
export type Attack = {
  peer(options?: { address?: string; port?: number }): Promise<UdpPeer>
  /** Sends many datagrams, no faster than they are taken: the kernel is to drop none. Resolves with the answers' codes. */
  flood(flood: Flood): Promise<Map<number, number>>
  /** Counts a datagram that went out some other way, and was not answered. */
  sentElsewhere(count: number): void
  /** Checks at the end: alive, no fault of its own, no answer above three times its question, every datagram counted once. */
  account(t: Test): Promise<void>
}

/** As many as fit the smallest receive buffer that Linux gives by default. */
const BATCH = 200
const PATIENCE_MS = 10_000
const PING = Uint8Array.of(0x40, 0, 0xfe, 0xfd)

export function attack(gateway: GatewayProcess): Attack {
  const peers: UdpPeer[] = []
  const tooLarge: string[] = []
  let sent = 0
  let sentBytes = 0
  let receivedBytes = 0
  let onArrival: ((bytes: Buffer) => void) | undefined

  async function peer(options: { address?: string; port?: number } = {}): Promise<UdpPeer> {
    /** Size of what was asked, by message id and token for an ACK or RST, by token for a message of its own. */
    const asked = new Map<string, number>()
    const made = await createUdpPeer({
      to: gateway.coapPort,
      ...options,
      watch: {
        sent: (bytes) => {
          sent++
          sentBytes += bytes.length
          const [id, token] = keysOf(bytes)
          asked.set(id, bytes.length)
          // A ping may have the message id of a request that is still to be answered.
          asked.set(id + token, bytes.length)
          if (bytes[1] !== EMPTY) asked.set(token, bytes.length)
        },
        received: (bytes) => {
          onArrival?.(bytes)
          receivedBytes += bytes.length
          const isReply = ((bytes[0]! >> 4) & 3) >= TYPE.ACK
          const [id, token] = keysOf(bytes)
          const size = asked.get(!isReply ? token : bytes[1] === EMPTY ? id : id + token) ?? 0
          if (bytes.length > 3 * size)
            tooLarge.push(`${bytes.length} bytes to ${size}: ${bytes.toString('hex')}`)
        },
      },
    })
    peers.push(made)
    return made
  }

  async function flood({ count, datagram, peers, answered }: Flood): Promise<Map<number, number>> {
    const codes = new Map<number, number>()
    const [first] = peers
    for (let i = 0; i < count; i += BATCH) {
      const size = Math.min(BATCH, count - i)
      const isDone = arrivals((answers) => answers.some(isPong) && (!answered || answers.length > size))
      for (let k = 0; k < size; k++) await peers[(i + k) % peers.length]!.send(datagram(i + k))
      await first!.send(PING)
      for (const bytes of await isDone)
        if (!isPong(bytes)) codes.set(bytes[1]!, (codes.get(bytes[1]!) ?? 0) + 1)
      for (const peer of peers) peer.inbox.length = 0
    }
    return codes
  }

  /** Resolves with what has arrived from now on, once that is enough. */
  function arrivals(isEnough: (answers: readonly Buffer[]) => boolean): Promise<readonly Buffer[]> {
    const answers: Buffer[] = []
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        onArrival = undefined
        reject(new Error(`Failed to receive all answers: ${answers.length} came`))
      }, PATIENCE_MS)
      onArrival = (bytes) => {
        answers.push(bytes)
        if (!isEnough(answers)) return
        clearTimeout(timer)
        onArrival = undefined
        resolve(answers)
      }
    })
  }

  async function account(t: Test): Promise<void> {
    t.ok(gateway.alive(), 'the process runs')
    t.strictSame(tooLarge, [], 'no answer above three times its question')
    t.ok(receivedBytes <= 3 * sentBytes)
    const metrics = await settled()
    t.equal(counted(metrics), sent, 'every datagram is counted, once')
    t.equal(metrics['pesebre_internal_errors_total'], 0)
    t.equal(metrics['pesebre_socket_errors_total'], 0)
    t.equal(metrics['pesebre_ready'], 1)
    t.strictSame(
      gateway.logs().filter((line) => line.includes('"level":50')),
      [],
    )
    await Promise.all(peers.map(({ close }) => close()))
  }

  /** The metrics once they stand still: the worker puts its numbers up four times a second. */
  async function settled(): Promise<Record<string, number>> {
    let metrics = await gateway.metrics()
    for (let tries = 0; tries < 40 && counted(metrics) !== sent; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 100))
      metrics = await gateway.metrics()
    }
    return metrics
  }

  function sentElsewhere(count: number): void {
    sent += count
  }

  return { peer, flood, sentElsewhere, account }
}

/** Datagrams that /metrics knows of: by what became of them, refused for their address, dropped by the kernel. */
function counted(metrics: Record<string, number>): number {
  const outcomes = OUTCOMES.map((outcome) => metrics[`pesebre_datagrams_total{outcome="${outcome}"}`]!)
  const others = [
    metrics['pesebre_refusals_total{reason="address_rate"}']!,
    metrics['pesebre_kernel_drops_total']!,
  ]
  return [...outcomes, ...others].reduce((sum, count) => sum + count, 0)
}

function isPong(bytes: Uint8Array): boolean {
  return bytes.length === 4 && bytes[0] === 0x70 && bytes[2] === 0xfe && bytes[3] === 0xfd
}

function keysOf(bytes: Uint8Array): [messageId: string, token: string] {
  const length = Math.min(8, (bytes[0] ?? 0) & 15)
  return [`id ${bytes[2]} ${bytes[3]}`, `token ${bytes.subarray(4, 4 + length).join()}`]
}

const TEXT = new TextEncoder()

export type Ask = {
  type?: number
  code?: number
  id?: number
  token?: Uint8Array
  path?: readonly string[]
  /** Options beside Uri-Path. */
  options?: readonly (readonly [number: number, value: Uint8Array | string])[]
  body?: Uint8Array | string
}

/** A request; a CON POST to /feeder/bella unless it says otherwise. */
export function ask(different: Ask = {}): Uint8Array {
  const { type = TYPE.CON, code = 2, id = nextId(), token = new Uint8Array(0) } = different
  const path = (different.path ?? ['feeder', 'bella']).map((segment) => [11, segment] as const)
  const options = [...path, ...(different.options ?? [])].map(([number, value]) => ({
    number,
    value: bytesOf(value),
  }))
  return encode({ type, code, messageId: id, token, options, payload: bytesOf(different.body ?? '') })
}

function bytesOf(value: Uint8Array | string): Uint8Array {
  return typeof value === 'string' ? TEXT.encode(value) : value
}

let lastId = 0

function nextId(): number {
  lastId = (lastId + 1) & 0x7fff
  return lastId
}

/** Reports of a thing that are in the journal, oldest first. */
export function keptIn(gateway: GatewayProcess, thing: string): Report[] {
  const dir = join(gateway.journalDir, '0')
  const segments = readdirSync(dir).filter((name) => name.endsWith('.journal'))
  const lines = segments.sort().flatMap((name) => readFileSync(join(dir, name), 'utf8').split('\n'))
  const reports = lines
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line.slice(9)) as Report)
  return reports.filter((report) => report.thing === thing)
}

/** What an answer is, in short: `ACK 4.00 Empty body`. */
export function said(bytes: Buffer): string {
  const decoded = decode(bytes)
  if (!decoded.ok) return `not CoAP: ${decoded.reason}`
  const { type, code, payload } = decoded.message
  const text = new TextDecoder().decode(payload)
  return [['CON', 'NON', 'ACK', 'RST'][type], code === 0 ? '' : formatCode(code), text]
    .filter(Boolean)
    .join(' ')
}

/** Block1 of 16-byte blocks, or of another size exponent (RFC 7959 section 2.2). */
export function block1(number: number, more: boolean, szx = 0): [number, Uint8Array] {
  return [27, Uint8Array.of((number << 4) | (more ? 8 : 0) | szx)]
}
