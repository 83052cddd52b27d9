import { CODE, METHOD } from '@pesebre/coap/codec/codes'
import { createEndpoint, type Endpoint } from '@pesebre/coap/endpoint/endpoint'
import type { Peer, RequestEffect, Response } from '@pesebre/coap/endpoint/types'
import { nodeCrypto } from '@pesebre/coap/node-crypto'
import type { CryptoPrimitives } from '@pesebre/coap/oscore/crypto'
import { ReplayWindow } from '@pesebre/coap/oscore/replay-window'
import { SenderSequence } from '@pesebre/coap/oscore/sender-sequence'
import t from 'tap'
import { seedOf } from '../endpoint/harness.ts'
import { type Answered, generator, Network } from '../endpoint/network.ts'
import { hex } from './harness.ts'
import { Device, gatewayOf, Keys, nameOf } from './secured.ts'

/**
 * S4 over endpoints: devices and a gateway on a bad network, with uploads, downloads, observations and late answers, recorded
 * datagrams sent again from elsewhere, and power cuts of everybody, after which only what is on a disk is left.
 */
const SEED = Number(process.env['PESEBRE_NONCE_SEED'] ?? 3)
const DEVICES = 3
/** Numbers reserved on disk at a time. */
const BLOCK = 16
const GATEWAY_PEER: Peer = { address: '192.0.2.99', port: 5683 }
const random = generator(SEED)
const draw = (limit: number): number => Math.floor(random() * limit)

const sealed = new Map<string, string>()
const crypto: CryptoPrimitives = {
  ...nodeCrypto,
  seal(input) {
    const pair = `${hex(input.key)} ${hex(input.nonce)}`
    const ciphertext = nodeCrypto.seal(input)
    if (sealed.has(pair)) throw new Error(`Used twice: ${pair}`)
    sealed.set(pair, hex(ciphertext))
    return ciphertext
  },
}

/** Numbers that a disk has given out: after a power cut they go on behind the last block. */
class Numbers {
  #limit = 0
  #sequence = new SenderSequence(0, 0)

  cut(): void {
    this.#sequence = new SenderSequence(this.#limit, this.#limit)
  }

  readonly sequence = {
    take: () => {
      if (this.#sequence.left === 0) {
        this.#limit += BLOCK
        this.#sequence.reserve(this.#limit)
      }
      return this.#sequence.take()
    },
  }
}

class Gateway {
  endpoint: Endpoint
  readonly settled: Set<number>[] = Array.from({ length: DEVICES }, () => new Set())
  taken = 0
  readonly #numbers = new Numbers()
  #seed = 0

  constructor() {
    this.endpoint = this.start()
  }

  /** The windows come from what is on disk, and from nothing else. */
  start(): Endpoint {
    this.#numbers.cut()
    const keys = new Keys(DEVICES, { crypto, sequence: this.#numbers.sequence })
    for (const [device, numbers] of this.settled.entries()) {
      const window = new ReplayWindow()
      for (const number of [...numbers].sort((a, b) => a - b)) window.commit(number)
      keys.windows[device] = window
    }
    this.endpoint = gatewayOf(keys, { seed: seedOf(++this.#seed), ackAfterMs: 500 })
    return this.endpoint
  }

  answer({ request }: RequestEffect): Answered | undefined {
    const { method, sequence = -1, principal } = request
    const device = Array.from({ length: DEVICES }, (_, n) => nameOf(n)).indexOf(principal ?? '')
    const isKept = draw(3) > 0
    if (isKept) {
      // It is on disk before anything is said.
      if (this.settled[device]!.has(sequence)) throw new Error(`Taken twice: ${principal} ${sequence}`)
      this.settled[device]!.add(sequence)
      this.taken++
    }
    const size = draw(4) === 0 ? 3_000 : 20
    const payload = Buffer.alloc(size, `${draw(1_000_000)}`)
    const response: Response = {
      code: CODE.CONTENT,
      payload,
      settled: isKept,
      observe: method === METHOD.GET ? 'box' : undefined,
    }
    return draw(5) === 0 ? { response, afterMs: draw(3_000) } : response
  }
}

t.test(`S4: every key and nonce makes one ciphertext, and nothing is taken twice (seed ${SEED})`, (t) => {
  const recorded: Uint8Array[] = []
  const network = new Network(SEED, {
    loss: 0.15,
    duplication: 0.15,
    delay: { min: 1, max: 2_500 },
    isLost: (bytes, from) => {
      if (!from.startsWith('192.0.2.99')) recorded.push(bytes.slice())
      return false
    },
  })
  const gateway = new Gateway()
  const addGateway = (endpoint: Endpoint): void =>
    network.add({ endpoint, peer: GATEWAY_PEER, answer: (effect) => gateway.answer(effect) })
  addGateway(gateway.endpoint)
  const devices = Array.from({ length: DEVICES }, (_, n) => {
    const numbers = new Numbers()
    const peer = { address: `192.0.2.${n + 1}`, port: 5000 }
    return { n, numbers, peer, endpoint: undefined as Endpoint | undefined, starts: 0 }
  })
  type Running = (typeof devices)[number]
  /** Switches a device on, now and then behind another port. */
  const start = (device: Running): Endpoint => {
    device.numbers.cut()
    if (draw(2) === 0) device.peer = { ...device.peer, port: 5000 + draw(1_000) }
    device.endpoint = createEndpoint({ seed: seedOf(100 * ++device.starts + device.n) })
    network.add({ endpoint: device.endpoint, peer: device.peer, answer: () => undefined })
    return device.endpoint
  }
  for (const device of devices) start(device)
  let cuts = 0
  for (let step = 0; step < 3_000; step++) {
    network.run(network.now + draw(1_500))
    const device = devices[draw(DEVICES)]!
    const dice = draw(1_000)
    if (dice < 450) {
      const observe = draw(6) === 0
      const security = new Device(device.n, crypto).security(device.numbers.sequence)
      const { effects } = device.endpoint!.request(
        {
          peer: GATEWAY_PEER,
          method: observe ? METHOD.GET : METHOD.POST,
          path: ['u'],
          payload: observe ? undefined : Buffer.alloc(draw(5) === 0 ? 2_500 : 10, `${step}`),
          observe,
          security,
          confirmable: draw(3) > 0,
        },
        network.now,
      )
      network.carryOut(device.peer, effects)
    } else if (dice < 750 && recorded.length > 0) {
      const from = draw(4) === 0 ? 0 : Math.max(0, recorded.length - 60)
      const data = recorded[from + draw(recorded.length - from)]!.slice()
      // Another message id and another address: nothing but the window knows it again.
      data[3] = draw(256)
      const effects = gateway.endpoint.receive(
        data,
        { address: '203.0.113.1', port: 1 + draw(60_000) },
        network.now,
      )
      network.carryOut(GATEWAY_PEER, effects)
    } else if (dice < 950) {
      const payload = Buffer.alloc(draw(5) === 0 ? 2_000 : 8, `${step}`)
      network.carryOut(
        GATEWAY_PEER,
        gateway.endpoint.notify('box', { code: CODE.CONTENT, payload }, network.now),
      )
    } else {
      cuts++
      if (dice < 970) addGateway(gateway.start())
      else start(device)
    }
  }
  t.ok(sealed.size > 5_000, `${sealed.size} messages were encrypted, each under a pair of its own`)
  t.equal(new Set(sealed.values()).size, sealed.size)
  t.ok(gateway.taken > 500, `${gateway.taken} requests were taken for good`)
  t.ok(cuts > 80, `${cuts} power cuts`)
  const answers = network.ends.filter(({ kind }) => kind === 'response').length
  t.ok(answers > 500, `${answers} answers were heard`)
  t.end()
})
