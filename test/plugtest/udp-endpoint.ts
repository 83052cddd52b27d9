import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { CODE } from '@pesebre/coap/codec/codes'
import { createEndpoint, type Endpoint } from '@pesebre/coap/endpoint/endpoint'
import type { Settings } from '@pesebre/coap/endpoint/settings'
import type {
  Answer,
  Call,
  Effect,
  Exchange,
  FailureReason,
  OutgoingRequest,
  Request,
} from '@pesebre/coap/endpoint/types'
import type { Notification, Reply } from './resource.ts'

export type UdpEndpointOptions = {
  /** Default 127.0.0.1 and a free port. */
  host?: string
  port?: number
  settings?: Partial<Settings>
  /** Answers requests; without it there is nothing here. */
  answer?: (request: Request) => Reply
}

/** Takes the answers to one request of ours. */
export type Listener = {
  onAnswer(answer: Answer, isFinal: boolean): void
  onFailure(reason: FailureReason): void
}

/** An endpoint of @pesebre/coap on a UDP socket, with the clock of the process: server, client, or both. */
export type UdpEndpoint = {
  readonly host: string
  readonly port: number
  /** The endpoint itself, for its counters and tables; another one after `reboot`. */
  endpoint(): Endpoint
  /** Sends a request and resolves with the answer. Rejects with the reason of failure. */
  ask(request: OutgoingRequest): Promise<Answer>
  /** Sends a request, whose answers go to the listener. Returns what ends it early. */
  send(request: OutgoingRequest, listener: Listener): () => void
  notify(notifications: readonly Notification[]): void
  /** Forgets everything about all peers. */
  reboot(): void
  close(): Promise<void>
}

function nothingHere(): Reply {
  return { code: CODE.NOT_FOUND }
}

/** Binds a UDP socket. Rejects with the error of bind(2). */
export async function openUdpEndpoint(options: UdpEndpointOptions = {}): Promise<UdpEndpoint> {
  const { host = '127.0.0.1', port = 0, settings = {}, answer = nothingHere } = options
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject)
    socket.bind({ port, address: host, exclusive: true }, resolve)
  })
  const listeners = new Map<Call, Listener>()
  const later = new Set<NodeJS.Timeout>()
  let endpoint = start()
  let timer: NodeJS.Timeout | undefined

  // An ICMP error for one peer is no reason to stop serving the others.
  socket.removeAllListeners('error').on('error', () => {})
  socket.on('message', (bytes, peer) => carryOut(endpoint.receive(bytes, peer, performance.now())))

  function start(): Endpoint {
    return createEndpoint({ seed: randomBytes(16), ...settings })
  }

  function carryOut(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'send') socket.send(effect.bytes, effect.peer.port, effect.peer.address, () => {})
      else if (effect.kind === 'request') serve(effect.exchange)
      else if (effect.kind === 'response') {
        const listener = listeners.get(effect.call)
        if (effect.isFinal) listeners.delete(effect.call)
        listener?.onAnswer(effect.response, effect.isFinal)
      } else if (effect.kind === 'failure') {
        const listener = listeners.get(effect.call)
        listeners.delete(effect.call)
        listener?.onFailure(effect.reason)
      }
    }
    arm()
  }

  function serve(exchange: Exchange): void {
    const reply = replyTo(exchange.request)
    const finish = (): void => {
      carryOut(endpoint.respond(exchange, reply, performance.now()))
      notify(reply.notifications ?? [])
      if (reply.reboot) reboot()
    }
    if (reply.afterMs === undefined) {
      finish()
      return
    }
    const wait = setTimeout(() => {
      later.delete(wait)
      finish()
    }, reply.afterMs)
    later.add(wait)
  }

  /** Nothing that arrives may end the process: a fault of a handler is the answer 5.00. */
  function replyTo(request: Request): Reply {
    try {
      return answer(request)
    } catch (error) {
      console.error(`Failed to answer a request for /${request.path.join('/')}:`, error)
      return { code: CODE.INTERNAL_SERVER_ERROR }
    }
  }

  function notify(notifications: readonly Notification[]): void {
    for (const { resource, response } of notifications) {
      carryOut(endpoint.notify(resource, response, performance.now()))
    }
  }

  function reboot(): void {
    for (const wait of later) clearTimeout(wait)
    later.clear()
    endpoint = start()
    arm()
  }

  function arm(): void {
    clearTimeout(timer)
    const deadline = endpoint.nextDeadline()
    if (deadline === Infinity) return
    const wait = Math.max(0, Math.ceil(deadline - performance.now()))
    timer = setTimeout(() => carryOut(endpoint.advance(performance.now())), wait)
  }

  function send(request: OutgoingRequest, listener: Listener): () => void {
    const { call, effects } = endpoint.request(request, performance.now())
    listeners.set(call, listener)
    carryOut(effects)
    return () => {
      listeners.delete(call)
      carryOut(endpoint.cancel(call, performance.now()))
    }
  }

  return {
    host,
    port: socket.address().port,
    endpoint: () => endpoint,
    send,
    ask: (request) =>
      new Promise((resolve, reject) => {
        send(request, {
          onAnswer: resolve,
          onFailure: (reason) => reject(new Error(`Failed to get an answer: ${reason}`)),
        })
      }),
    notify,
    reboot,
    close: async () => {
      clearTimeout(timer)
      for (const wait of later) clearTimeout(wait)
      await new Promise<void>((resolve) => socket.close(resolve))
    },
  }
}
