import { CODE, METHOD } from '@pesebre/coap/codec/codes'
import type { Endpoint } from '@pesebre/coap/endpoint/endpoint'
import { content } from '@pesebre/coap/endpoint/response'
import type { Call, OutgoingRequest, Peer, RequestEffect, Response } from '@pesebre/coap/endpoint/types'
import fc from 'fast-check'
import t from 'tap'
import { endpointOf, seedOf, total } from './harness.ts'
import { type Answered, generator, Network, type Weather } from './network.ts'

const server: Peer = { address: '192.0.2.1', port: 5683 }
const client: Peer = { address: '192.0.2.2', port: 40_000 }

interface World {
  readonly network: Network
  readonly server: Endpoint
  readonly client: Endpoint
  ask(request: Omit<OutgoingRequest, 'peer'>): Call
}

function world(
  seed: number,
  weather: Weather,
  answer: (effect: RequestEffect) => Answered | undefined,
): World {
  const network = new Network(seed, weather)
  const ends = { server: endpointOf({ seed: seedOf(seed) }), client: endpointOf({ seed: seedOf(seed + 1) }) }
  network.add({ endpoint: ends.server, peer: server, answer })
  network.add({ endpoint: ends.client, peer: client, answer: () => undefined })
  const ask = (request: Omit<OutgoingRequest, 'peer'>): Call => {
    const { call, effects } = ends.client.request({ ...request, peer: server }, network.now)
    network.carryOut(client, effects)
    return call
  }
  return { network, ask, ...ends }
}

t.test(
  'every request is carried out once, and every answer is that of its request: loss, duplication, delay',
  (t) => {
    const storms = fc.record({
      seed: fc.nat(),
      loss: fc.double({ min: 0, max: 0.25, noNaN: true }),
      duplication: fc.double({ min: 0, max: 0.5, noNaN: true }),
      delayMax: fc.integer({ min: 1, max: 1500 }),
      thinking: fc.constantFrom(0, 10, 900, 1_100, 5_000),
    })
    let answered = 0
    let asked = 0
    fc.assert(
      fc.property(storms, ({ seed, loss, duplication, delayMax, thinking }) => {
        const carriedOut = new Map<string, number>()
        const weather = { loss, duplication, delay: { min: 0, max: delayMax } }
        const { network, ask, ...ends } = world(seed, weather, ({ request }) => {
          const name = Buffer.from(request.payload).toString()
          carriedOut.set(name, (carriedOut.get(name) ?? 0) + 1)
          return { response: { code: CODE.CHANGED, payload: request.payload }, afterMs: thinking }
        })
        const calls = new Map<Call, string>()
        for (let n = 0; n < 30; n++) {
          network.at(n * 100, () => {
            const confirmable = n % 3 !== 0
            calls.set(
              ask({ method: METHOD.POST, path: ['u'], confirmable, payload: Buffer.from(`${n}`) }),
              `${n}`,
            )
          })
        }
        network.run()
        asked += 30
        for (const effect of network.ends) {
          if (effect.kind !== 'response') continue
          answered++
          const expected = calls.get(effect.call)
          if (Buffer.from(effect.response.payload).toString() !== expected) throw new Error('a wrong answer')
          if (carriedOut.get(expected) !== 1) throw new Error('an answer to what was not done')
        }
        for (const [name, times] of carriedOut)
          if (times !== 1) throw new Error(`${name} was done ${times} times`)
        if (network.ends.length !== 30) throw new Error(`${network.ends.length} ends of 30 calls`)
        const {
          pending,
          transmissions,
          calls: open,
        } = { ...ends.server.sizes(), calls: ends.client.sizes().calls }
        return pending === 0 && transmissions === 0 && open === 0
      }),
      { numRuns: 60, seed: 1 },
    )
    t.ok(answered > asked * 0.8, `${answered} of ${asked} answered`)
    t.end()
  },
)

t.test('four losses in a row, of the request or of its answer, are mended', (t) => {
  for (const loser of [server, client]) {
    let lost = 0
    const isLost = (_bytes: Uint8Array, from: string): boolean =>
      from.startsWith(loser.address) && ++lost <= 4
    const { network, ask, server: served } = world(3, { isLost }, () => ({ code: CODE.CHANGED }))
    ask({ method: METHOD.POST, path: ['u'] })
    network.run()
    t.same(
      network.ends.map((effect) => effect.kind),
      ['response'],
    )
    t.equal(served.counters.request, 1)
    t.equal(served.counters.repeat, loser === server ? 4 : 0)
  }
  t.end()
})

t.test('long bodies both ways, in every block size, through loss', (t) => {
  const bodies = fc.record({
    seed: fc.nat(),
    up: fc.integer({ min: 0, max: 4096 }),
    down: fc.integer({ min: 0, max: 6000 }),
    sizes: fc.tuple(fc.constantFrom(16, 64, 128, 1024), fc.constantFrom(16, 32, 256, 1024)),
    method: fc.constantFrom(METHOD.POST, METHOD.PUT, METHOD.FETCH),
  })
  fc.assert(
    fc.property(bodies, ({ seed, up, down, sizes, method }) => {
      const random = generator(seed)
      const request = Uint8Array.from({ length: up }, () => random() * 256)
      const answer = Uint8Array.from({ length: down }, () => random() * 256)
      const network = new Network(seed, { loss: 0.02, duplication: 0.1, delay: { min: 1, max: 50 } })
      const [served, asking] = sizes.map((blockSizeMax) => endpointOf({ blockSizeMax })) as [
        Endpoint,
        Endpoint,
      ]
      let seen: Uint8Array | undefined
      network.add({
        endpoint: served,
        peer: server,
        answer: (effect) => {
          seen = effect.request.payload.slice()
          return content(42, answer)
        },
      })
      network.add({ endpoint: asking, peer: client, answer: () => undefined })
      const outgoing = { peer: server, method, path: ['large'], payload: request }
      network.carryOut(client, asking.request(outgoing, 0).effects)
      network.run()
      const [end] = network.ends
      if (end?.kind !== 'response') throw new Error(`ended with ${end?.kind}`)
      return (
        Buffer.compare(end.response.payload, answer) === 0 &&
        Buffer.compare(seen ?? new Uint8Array(0), request) === 0 &&
        served.counters.request === 1
      )
    }),
    { numRuns: 60, seed: 2 },
  )
  t.pass('all bodies came whole')
  t.end()
})

t.test('an observer has the last state in the end, through loss', (t) => {
  for (let seed = 0; seed < 20; seed++) {
    let value = 0
    const weather = { loss: 0.15, duplication: 0.2, delay: { min: 1, max: 300 } }
    const state = (): Response => ({ ...content(0, Buffer.from(`${value}`)), observe: 'obs' })
    const { network, ask, server: served } = world(seed, weather, state)
    ask({ method: METHOD.GET, path: ['obs'], observe: true })
    network.run(100_000)
    for (let n = 0; n < 50; n++) {
      network.at(network.now + n * 1_000, () => {
        value++
        network.carryOut(server, served.notify('obs', state(), network.now))
      })
    }
    network.run(network.now + 60_000)
    // Now and then a notification is confirmable: that one arrives.
    for (let more = 0; more < 2; more++) {
      network.at(network.now + 61_000, () =>
        network.carryOut(server, served.notify('obs', state(), network.now)),
      )
      network.run(network.now + 160_000)
    }
    const last = network.ends.at(-1)
    t.equal(last?.kind === 'response' && Buffer.from(last.response.payload).toString(), '50', `seed ${seed}`)
  }
  t.end()
})

t.test('a day of a stable: 50 devices report each five minutes', (t) => {
  const network = new Network(11, { loss: 0.05, duplication: 0.02, delay: { min: 5, max: 400 } })
  const endpoint = endpointOf()
  let done = 0
  network.add({
    endpoint,
    peer: server,
    answer: () => {
      done++
      return { response: { code: CODE.CHANGED }, afterMs: 3 }
    },
  })
  const day = 24 * 3600 * 1000
  const devices = Array.from({ length: 50 }, (_, n) => ({ address: '192.0.2.9', port: 50_000 + n }))
  let asked = 0
  devices.forEach((peer, n) => {
    const device = endpointOf({ seed: seedOf(n) })
    network.add({ endpoint: device, peer, answer: () => undefined })
    const report = (): void => {
      asked++
      const request = {
        peer: server,
        method: METHOD.POST,
        path: ['feeder', `${n}`],
        payload: Buffer.from(`${network.now}`),
      }
      network.carryOut(peer, device.request(request, network.now).effects)
      if (network.now + 300_000 < day) network.at(network.now + 300_000, report)
    }
    network.at(n * 100, report)
  })
  network.run()
  t.ok(asked >= 50 * 287)
  const answered = network.ends.filter((effect) => effect.kind === 'response').length
  t.equal(answered, asked, 'every report is answered')
  t.equal(done, asked, 'and each was taken once')
  t.equal(endpoint.counters.request, asked)
  t.ok(endpoint.counters.repeat > 0)
  t.ok(total(endpoint.counters) > asked)
  t.end()
})
