import { CODE, METHOD } from '@pesebre/coap/codec/codes'
import { decode } from '@pesebre/coap/codec/message'
import type { Endpoint } from '@pesebre/coap/endpoint/endpoint'
import type { Effect, Exchange, Peer, Response } from '@pesebre/coap/endpoint/types'
import { hex } from './endpoint/harness.ts'

/** An endpoint with an application that answers this and that, now and then later, and asks now and then itself. */
export class World {
  received = 0
  requests = 0
  now = 0
  readonly #endpoint: Endpoint
  readonly #random: () => number
  readonly #waiting: Exchange[] = []
  readonly #answers: readonly Response[] = [
    { code: CODE.CHANGED },
    { code: CODE.CONTENT, payload: new Uint8Array(20), observe: 'obs' },
    { code: CODE.CONTENT, payload: new Uint8Array(3000) },
    { code: CODE.NOT_FOUND, payload: new Uint8Array(5) },
  ]

  constructor(endpoint: Endpoint, random: () => number) {
    this.#endpoint = endpoint
    this.#random = random
  }

  step(data: Uint8Array): void {
    const random = this.#random
    this.now += random() < 0.01 ? random() * 100_000 : random()
    const peer: Peer = { address: `192.0.2.${Math.floor(random() * 4)}`, port: Math.floor(random() * 4) }
    this.received++
    const effects = this.#endpoint.receive(data, peer, this.now)
    this.#check(effects, peer.port === 0 ? 0 : 3 * data.length + 20)
    for (const effect of effects) {
      if (effect.kind === 'request') this.#serve(effect.exchange)
    }
    if (random() < 0.02) this.#check(this.#endpoint.notify('obs', this.#answers[1]!, this.now))
    if (random() < 0.02) this.#ask(peer)
    if (random() < 0.05 || this.#endpoint.nextDeadline() < this.now - 1000) {
      this.#check(this.#endpoint.advance(this.now))
      if (this.#endpoint.nextDeadline() <= this.now) throw new Error('something is due after advance()')
    }
    if (this.#waiting.length > 50) this.#respond(this.#waiting.shift()!)
  }

  #serve(exchange: Exchange): void {
    this.requests++
    const { options, payload, path } = exchange.request
    if (options.length > 32 || payload.length > 4096 || path.includes('..'))
      throw new Error('a request beyond the limits')
    if (this.#random() < 0.3) this.#waiting.push(exchange)
    else this.#respond(exchange)
  }

  #respond(exchange: Exchange): void {
    const response = this.#answers[Math.floor(this.#random() * this.#answers.length)]!
    this.#check(this.#endpoint.respond(exchange, response, this.now))
  }

  #ask(peer: Peer): void {
    if (peer.port === 0 || this.#endpoint.sizes().calls >= 20) return
    const observe = this.#random() < 0.5
    const payload = new Uint8Array(this.#random() < 0.5 ? 0 : 2000)
    const { effects } = this.#endpoint.request(
      { peer, method: METHOD.GET, path: ['a'], observe, payload },
      this.now,
    )
    this.#check(effects)
  }

  /** Whatever is sent is a message, goes somewhere, and is not large where nobody but the endpoint answers. */
  #check(effects: readonly Effect[], sizeMax = Infinity): void {
    for (const effect of effects) {
      if (effect.kind !== 'send') continue
      if (effect.peer.port === 0) throw new Error('sent to port 0')
      if (!decode(effect.bytes).ok) throw new Error(`sent what is no message: ${hex(effect.bytes)}`)
      // Blocks of an answer that the application gave before are as large as it made them.
      if (effect.bytes.length > sizeMax && !isAnswerOfApplication(effect.bytes)) {
        throw new Error(`sent too much: ${hex(effect.bytes)}`)
      }
    }
  }
}

function isAnswerOfApplication(data: Uint8Array): boolean {
  const code = data[1] ?? 0
  return code === CODE.CONTENT || code === CODE.NOT_FOUND || code === CODE.CHANGED || code < 0x20
}
