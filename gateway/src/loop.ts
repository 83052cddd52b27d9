import type { Endpoint } from '@pesebre/coap/endpoint/endpoint'
import type { Effect, Exchange, Peer, Request, Response } from '@pesebre/coap/endpoint/types'
import type { Udp } from './adapters/udp.ts'

export type LoopSettings = {
  endpoint: Endpoint
  /** Answers a request. Must not throw or reject. */
  answer: (request: Request) => Response | Promise<Response>
  /** Whether this address may send now. */
  allowAddress: (address: string, now: number) => boolean
  /** Runs every `HOUSEKEEPING_MS`. */
  housekeeping: () => void
  onRefusedAddress: () => void
  onFault: (error: unknown) => void
}

export type Loop = {
  receive(bytes: Uint8Array, peer: Peer): void
  /** Sets the socket that answers go out of, and starts the timer. */
  start(udp: Udp): void
  /** Sends the new state of a resource to those who observe it. */
  notify(resource: string, response: Response): void
  /** Requests that have no answer yet. */
  pending(): number
  stop(): void
}

const HOUSEKEEPING_MS = 250

/** The one loop: socket to endpoint to application and back. It owns the one timer. */
export function createLoop(settings: LoopSettings): Loop {
  const { endpoint, answer, allowAddress, onFault } = settings
  let udp: Udp | undefined
  let timer: NodeJS.Timeout | undefined
  let armedFor = Number.POSITIVE_INFINITY
  let nextHousekeeping = 0
  let pending = 0

  function receive(bytes: Uint8Array, peer: Peer): void {
    const now = performance.now()
    if (!allowAddress(peer.address, now)) {
      settings.onRefusedAddress()
      return
    }
    try {
      perform(endpoint.receive(bytes, peer, now))
    } catch (error) {
      // Nothing that arrives may end the process. A throw here is a fault of ours: counted, logged, survived.
      onFault(error)
    }
    if (endpoint.nextDeadline() < armedFor) arm(now)
  }

  function perform(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'send') udp?.send(effect.bytes, effect.peer)
      else if (effect.kind === 'request') serve(effect.exchange, effect.request)
    }
  }

  function serve(exchange: Exchange, request: Request): void {
    const response = answer(request)
    if (!(response instanceof Promise)) {
      respond(exchange, response)
      return
    }
    pending++
    response.then((settled) => {
      pending--
      respond(exchange, settled)
    }, onRejected)
  }

  function onRejected(error: unknown): void {
    pending--
    onFault(error)
  }

  function respond(exchange: Exchange, response: Response): void {
    try {
      perform(endpoint.respond(exchange, response, performance.now()))
    } catch (error) {
      onFault(error)
    }
  }

  function notify(resource: string, response: Response): void {
    const now = performance.now()
    try {
      perform(endpoint.notify(resource, response, now))
    } catch (error) {
      onFault(error)
    }
    if (endpoint.nextDeadline() < armedFor) arm(now)
  }

  function tick(): void {
    const now = performance.now()
    try {
      perform(endpoint.advance(now))
      if (now >= nextHousekeeping) {
        nextHousekeeping = now + HOUSEKEEPING_MS
        settings.housekeeping()
      }
    } catch (error) {
      onFault(error)
    }
    arm(performance.now())
  }

  function arm(now: number): void {
    armedFor = Math.min(endpoint.nextDeadline(), nextHousekeeping)
    clearTimeout(timer)
    timer = setTimeout(tick, Math.max(1, armedFor - now))
  }

  return {
    receive,
    notify,
    start: (socket) => {
      udp = socket
      tick()
    },
    pending: () => pending,
    stop: () => clearTimeout(timer),
  }
}
