import { randomBytes } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { isIP } from 'node:net'
import { METHOD } from '@pesebre/coap/codec/codes'
import { OPTION } from '@pesebre/coap/codec/options'
import { utf8 } from '@pesebre/coap/codec/text'
import { createEndpoint } from '@pesebre/coap/endpoint/endpoint'
import type { Answer, Call, Effect, FailureReason, OutgoingRequest } from '@pesebre/coap/endpoint/types'
import type { CoapClient, CoapRequest, CoapResponse } from './coap.ts'
import type { CoapUrl } from './coap-url.ts'
import { Failure } from './command.ts'

/** What to do about a request that came to nothing. */
const REASONS: Readonly<Record<FailureReason, string>> = {
  timeout: 'no answer in time: is a CoAP server there, and does UDP reach it?',
  reset: 'it rejected the message (RST): is it a CoAP server?',
  'bad-option': 'its answer has a critical option that is unknown here',
  'bad-block': 'the blocks of its answer do not fit together: try again',
  'too-large': 'its answer is too large',
  unprotected: 'its answer is not protected: try again, and see whether the device is registered and enabled',
  security: 'there was no sequence number to protect the request with: try again',
}

/** Our own endpoint keeps few requests: this is a client. */
const EXCHANGES_MAX = 256
const ANSWER_MAX = 1024 * 1024

/** One who waits for the answers to a call. */
type Waiter = {
  onAnswer(answer: Answer, isFinal: boolean): void
  onFailure(error: Failure): void
}

/**
 * Opens a client for the host of a URL: a UDP socket of its own around the endpoint of @pesebre/coap.
 * @throws Failure when the host has no address
 */
export async function openCoapClient(url: CoapUrl): Promise<CoapClient> {
  const { address, family } = await addressOf(url.host)
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4')
  // Connected, so that the system tells us at once when nobody listens (ICMP port unreachable).
  socket.connect(url.port, address)
  await once(socket, 'connect')
  return createClient(socket, url, address)
}

function createClient(socket: Socket, url: CoapUrl, address: string): CoapClient {
  const peer = { address, port: url.port }
  const place = `${url.host.includes(':') ? `[${url.host}]` : url.host}:${url.port}`
  const endpoint = createEndpoint({
    seed: randomBytes(32),
    exchangesMax: EXCHANGES_MAX,
    answerMax: ANSWER_MAX,
  })
  const waiting = new Map<Call, Waiter>()
  let timer: NodeJS.Timeout | undefined

  socket.on('message', (bytes) => carryOut(endpoint.receive(bytes, peer, performance.now())))
  socket.on('error', (error) => failAll(unreachable(error, place)))

  function carryOut(effects: readonly Effect[]): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case 'send':
          socket.send(effect.bytes, (error) => error && failAll(unreachable(error, place)))
          break
        case 'response':
          waiting.get(effect.call)?.onAnswer(effect.response, effect.isFinal)
          break
        case 'failure':
          waiting.get(effect.call)?.onFailure(new Failure(`Cannot reach ${place}: ${REASONS[effect.reason]}`))
          break
      }
    }
    arm()
  }

  function arm(): void {
    clearTimeout(timer)
    const deadline = endpoint.nextDeadline()
    if (deadline === Infinity) return
    const delay = Math.max(0, Math.ceil(deadline - performance.now()))
    timer = setTimeout(() => carryOut(endpoint.advance(performance.now())), delay)
  }

  function failAll(error: Failure): void {
    for (const waiter of waiting.values()) waiter.onFailure(error)
  }

  function send(request: Omit<OutgoingRequest, 'peer'>, waiter: Waiter): Call {
    const options = isIP(url.host) === 0 ? [{ number: OPTION.URI_HOST, value: utf8(url.host) }] : []
    const { call, effects } = endpoint.request({ ...request, options, peer }, performance.now())
    waiting.set(call, waiter)
    carryOut(effects)
    return call
  }

  /** Forgets a call; the server is told when it was an observation. */
  function end(call: Call): void {
    waiting.delete(call)
    carryOut(endpoint.cancel(call, performance.now()))
  }

  return {
    request(request: CoapRequest, timeoutMs: number) {
      const start = performance.now()
      const { promise, resolve, reject } = Promise.withResolvers<CoapResponse>()
      const call = send(
        { ...request, timeoutMs },
        { onAnswer: (answer) => resolve(toResponse(answer, start)), onFailure: reject },
      )
      return promise.finally(() => end(call))
    },
    async *observe({ path, query }, signal) {
      const start = performance.now()
      const queue: CoapResponse[] = []
      let failed: Failure | undefined
      let isOver = false
      let wake = () => {}
      const call = send(
        { method: METHOD.GET, path, query, observe: true },
        {
          onAnswer(answer, isFinal) {
            queue.push(toResponse(answer, start))
            isOver = isFinal
            wake()
          },
          onFailure(error) {
            failed = error
            wake()
          },
        },
      )
      const onAbort = () => wake()
      signal.addEventListener('abort', onAbort)
      try {
        while (!signal.aborted) {
          const next = queue.shift()
          if (next !== undefined) yield next
          else if (failed !== undefined) throw failed
          else if (isOver) return
          else await new Promise<void>((resolve) => (wake = resolve))
        }
      } finally {
        signal.removeEventListener('abort', onAbort)
        end(call)
      }
    },
    close() {
      clearTimeout(timer)
      socket.close()
    },
  }
}

async function addressOf(host: string): Promise<{ address: string; family: number }> {
  try {
    return await lookup(host)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new Failure(`Cannot find the host (${code}): check its name: ${host}`, { cause: error })
  }
}

function unreachable(error: Error, place: string): Failure {
  const { code } = error as NodeJS.ErrnoException
  if (code !== 'ECONNREFUSED') return new Failure(`Cannot reach ${place}: ${error.message}`, { cause: error })
  const advice = place.startsWith('127.') ? 'start it with npm start' : 'check host and port'
  return new Failure(`Nothing listens on UDP ${place}: ${advice}`, { cause: error })
}

function toResponse({ code, contentFormat, payload }: Answer, start: number): CoapResponse {
  return { code, contentFormat, payload, ms: performance.now() - start }
}
