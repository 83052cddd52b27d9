import { createSocket, type Socket } from 'node:dgram'
import { TYPE } from '@pesebre/coap/codec/message'
import type { Outcome } from '@pesebre/contract/check-in'
import t from 'tap'
import { startGateway } from '../fakes/gateway-process.ts'
import { until } from '../fakes/until.ts'
import { mailboxesLive, startCloud } from './cloud.ts'
import { createSecureDevice, fleetKeyFile, type Heard, hear, type SecureDevice } from './secure-device.ts'

t.setTimeout(900_000)

/** Commands given. The whole proof asks for 10,000. */
const TRIES = Number(process.env['PESEBRE_TRIES'] ?? 1500)
const DEVICES = 100
const LOSS = 0.05
const DOUBLE = 0.02
/** Share of datagrams that are late, and by how much at most: later ones overtake them. */
const LATE = 0.1
const LATE_MS = 15
const WINDOW_MS = 250

type Feeder = { secure: SecureDevice; socket: Socket; outcomes: Outcome[]; onAnswer: (bytes: Buffer) => void }

t.test(
  'a command given while the device sleeps is in its very next answer, over two gateways and a bad network',
  { timeout: 900_000 },
  async (t) => {
    const cloud = await startCloud(t)
    const keys = fleetKeyFile(t)
    const gateways = await Promise.all(
      ['a', 'b'].map(async (id) => {
        const env = {
          ...cloud.env(id),
          PESEBRE_FLEET_KEYS: keys,
          PESEBRE_STOP_TIMEOUT_MS: '100',
          PESEBRE_DEVICE_RATE: '1e6',
          PESEBRE_ADDRESS_RATE: '1e6',
        }
        const gateway = await startGateway({ env })
        t.teardown(gateway.stop)
        await mailboxesLive(gateway)
        return { id, port: gateway.coapPort }
      }),
    )
    const feeders = await Promise.all(Array.from({ length: DEVICES }, (_, i) => open(1000 + i)))
    const lookout = await open(1)
    t.teardown(() => {
      for (const { socket } of [...feeders, lookout]) socket.close()
    })
    const all = [...feeders, lookout]
    await Promise.all(all.map(({ secure }) => cloud.desire(secure.thing, { enabled: true, queue: [] })))

    // First contact, when a gateway reads the shadow: that has its own time limit, and its own tests.
    for (const feeder of all)
      for (const gateway of gateways)
        await until(
          `an answer of ${gateway.id} to ${feeder.secure.thing}`,
          async () => (await wake(feeder, gateway, {}))?.code === '2.04',
          () => 'none',
        )

    let tries = 0
    let wakes = 0
    let inNext = 0
    const missed: string[] = []
    for (let round = 1; tries < TRIES; round++) {
      await Promise.all(feeders.map(({ secure }) => cloud.queue(secure.thing, [{ n: round }])))
      // Devices sleep for minutes, the test does not: it goes on once both gateways have heard of a change made after all of these.
      await cloud.desire(lookout.secure.thing, { config: { version: round } })
      for (const gateway of gateways) {
        let heard: Heard | undefined
        await until(
          `${gateway.id} has heard of round ${round}`,
          async () => {
            heard = await wake(lookout, gateway, { config_version: 0 })
            return heard?.downlink.config?.version === round
          },
          () => heard,
        )
      }
      await Promise.all(
        feeders.map((feeder) => {
          const isAnswered = async () => {
            wakes++
            const gateway = gateways[Math.random() < 0.5 ? 0 : 1]!
            const heard = await wake(feeder, gateway, {})
            if (heard === undefined) return false
            tries++
            if (heard.code === '2.04' && heard.downlink.commands?.at(-1)?.n === round) inNext++
            else missed.push(`${round} ${gateway.id} ${heard.code} ${JSON.stringify(heard.downlink)}`)
            feeder.outcomes = [{ n: round, state: 'done', grams: 500 }]
            return true
          }
          return until(`an answer to ${feeder.secure.thing} in round ${round}`, isAnswered, () => 'none')
        }),
      )
    }
    t.comment(`${tries} commands, ${inNext} in the next answer, ${wakes} wakes`)
    t.ok(wakes > tries * 1.05, 'the network was bad')
    t.strictSame(missed, [])
    t.equal(inNext, tries)
  },
)

async function open(number: number): Promise<Feeder> {
  const socket = createSocket('udp4').on('error', () => {})
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  const feeder: Feeder = { secure: createSecureDevice({ number }), socket, outcomes: [], onAnswer: () => {} }
  socket.on('message', (bytes) => pass(() => feeder.onAnswer(bytes)))
  return feeder
}

/** One check-in, sent once, as a sleeping feeder does it. Undefined: no answer came in its window. */
function wake(
  feeder: Feeder,
  { id, port }: { id: string; port: number },
  uplink: object,
): Promise<Heard | undefined> {
  const { secure, socket, outcomes } = feeder
  const token = Buffer.alloc(4)
  token.writeUInt32BE(secure.sequence.next)
  const body = { ...uplink, ...(outcomes.length > 0 && { outcomes }) }
  const sent = secure.checkIn(body, { gateway: id, type: TYPE.NON, token })
  return new Promise((resolve) => {
    const end = (heard: Heard | undefined): void => {
      clearTimeout(timer)
      feeder.onAnswer = () => {}
      resolve(heard)
    }
    const timer = setTimeout(() => end(undefined), WINDOW_MS)
    feeder.onAnswer = (bytes) => {
      if (!bytes.subarray(4, 8).equals(token)) return
      const heard = hear(bytes, sent)
      // Of a doubled request the second is refused, unprotected: anyone could have said so.
      if (heard.code.startsWith('2.') || heard.code.startsWith('4.')) end(heard)
    }
    pass(() => socket.send(sent.bytes, port, '127.0.0.1'))
  })
}

/** The network: loses, doubles and delays. */
function pass(deliver: () => void): void {
  if (Math.random() < LOSS) return
  const times = Math.random() < DOUBLE ? 2 : 1
  for (let i = 0; i < times; i++) {
    if (Math.random() < LATE) setTimeout(deliver, Math.random() * LATE_MS)
    else deliver()
  }
}
