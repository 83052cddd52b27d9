import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { decode, TYPE } from '@pesebre/coap/codec/message'
import { OPTION } from '@pesebre/coap/codec/options'
import { decodeOscoreOption } from '@pesebre/coap/oscore/option'
import t from 'tap'
import { type GatewayProcess, startGateway } from '../fakes/gateway-process.ts'
import { createUdpPeer, type UdpPeer } from '../fakes/udp-peer.ts'
import { createSecureDevice, fleetKeyFile, type SecureDevice } from './secure-device.ts'

t.setTimeout(180_000)

const SEED = 20261120
const DEVICES = 10
const PEERS = 6
const STEPS = 6_000
/** One step in so many ends a gateway: three times in four by SIGKILL. */
const END_EVERY = 400

/** A gateway that is ended and started again on its journal, and those who talk to it. */
type Side = {
  readonly id: string
  readonly dir: string
  gateway: GatewayProcess
  peers: UdpPeer[]
}
type Asked = {
  readonly device: SecureDevice
  readonly partialIv: number
  readonly bytes: Uint8Array
  readonly side: string
}

t.test(
  'S4: over two gateways, crashes, restarts, copies and replays, no nonce of any key encrypts two texts',
  { timeout: 180_000 },
  async (t) => {
    const keys = fleetKeyFile(t)
    const random = createRandom(SEED)
    /** By gateway, device and nonce: the ciphertext. */
    const sealed = new Map<string, string>()
    const asked = new Map<string, Asked>()
    const sent: Asked[] = []
    const doubled: string[] = []
    const counts = { answers: 0, ownNumbers: 0, kills: 0, stops: 0, replays: 0, copies: 0 }

    function hear(side: string, bytes: Buffer): void {
      const decoded = decode(bytes)
      if (!decoded.ok) return
      const { options, token, payload } = decoded.message
      const option = options.find(({ number }) => number === OPTION.OSCORE)
      const request = asked.get(Buffer.from(token).toString('hex'))
      if (option === undefined || request === undefined) return
      const own = decodeOscoreOption(option.value)!.partialIv
      const nonce = own === undefined ? `request ${request.partialIv}` : `own ${own}`
      const key = `${side} ${request.device.thing} ${nonce}`
      const ciphertext = Buffer.from(payload).toString('hex')
      const known = sealed.get(key)
      if (known !== undefined && known !== ciphertext) doubled.push(key)
      sealed.set(key, ciphertext)
      counts.answers++
      if (own !== undefined) counts.ownNumbers++
    }

    async function start(id: string, dir: string): Promise<Side> {
      const gateway = await startGateway({
        journalDir: dir,
        env: {
          PESEBRE_GATEWAY_ID: id,
          PESEBRE_FLEET_KEYS: keys,
          PESEBRE_WORKERS: '2',
          PESEBRE_DEVICE_RATE: '1e6',
          PESEBRE_DEVICE_BURST: '1000000',
          PESEBRE_ADDRESS_RATE: '1e6',
          PESEBRE_ADDRESS_BURST: '1000000',
        },
      })
      const watch = { sent: () => {}, received: (bytes: Buffer) => hear(id, bytes) }
      const made = Array.from({ length: PEERS }, () => createUdpPeer({ to: gateway.coapPort, watch }))
      return { id, dir, gateway, peers: await Promise.all(made) }
    }

    async function end(side: Side): Promise<void> {
      if (random(4) === 0) {
        counts.stops++
        t.equal(await side.gateway.stop(), 0)
      } else {
        counts.kills++
        await side.gateway.kill()
      }
      await Promise.all(side.peers.map((peer) => peer.close()))
    }

    const devices = Array.from({ length: DEVICES }, (_, number) =>
      createSecureDevice({ number: number + 100 }),
    )
    const sides = await Promise.all(
      ['s4-a', 's4-b'].map((id) => start(id, `${t.testdir({ [id]: {} })}/${id}`)),
    )
    let serial = 0
    for (let step = 1; step <= STEPS; step++) {
      const side = sides[random(2)]!
      const peer = () => side.peers[random(PEERS)]!
      if (step % END_EVERY === 0) {
        await end(side)
        sides[sides.indexOf(side)] = await start(side.id, side.dir)
        continue
      }
      if (random(4) === 0 && sent.length > 0) {
        // What was recorded, recently or long ago, at the gateway that it was for or at the other one.
        const age = random(2) === 0 ? Math.min(sent.length, 40) : sent.length
        counts.replays++
        await peer().send(sent[sent.length - 1 - random(age)]!.bytes)
        continue
      }
      const device = devices[random(DEVICES)]!
      const token = Uint8Array.of(serial >> 16, serial >> 8, serial++, 0x54)
      const options = { gateway: side.id, token, type: random(2) === 0 ? TYPE.CON : TYPE.NON }
      // A device without a clock is told the time: two answers to one request would differ. Every fourth request is refused after it
      // was opened, which takes a number of the gateway's own.
      const { bytes, partialIv } =
        random(4) === 0
          ? device.request({ path: ['nothing'], ...options })
          : device.checkIn({ state: { battery_mv: 3300 + random(900) }, clock: 0 }, options)
      const made = { device, partialIv, bytes, side: side.id }
      asked.set(Buffer.from(token).toString('hex'), made)
      sent.push(made)
      const copies = 1 + (random(3) === 0 ? random(4) : 0)
      counts.copies += copies - 1
      await Promise.all(Array.from({ length: copies }, () => peer().send(bytes)))
      if (step % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    }
    for (const { peers } of sides) await Promise.all(peers.map((peer) => peer.provoke()))
    await Promise.all(sides.map(end))
    t.comment(`seed ${SEED}: ${JSON.stringify(counts)}, ${sealed.size} nonces`)
    t.strictSame(doubled, [], 'every nonce has one ciphertext')
    t.ok(counts.answers > STEPS / 4 && counts.ownNumbers > STEPS / 40, 'there were answers of both kinds')
    t.ok(counts.kills > 3 && counts.stops > 0)
    for (const { id, dir } of sides) {
      const kept = linesIn(dir)
      t.ok(kept.length > STEPS / 20, `${kept.length} reports kept by ${id}`)
      t.equal(new Set(kept).size, kept.length, `${id} has taken no number twice`)
    }
  },
)

/** Device and number of every report in the journals of a gateway. Its queue is away, so that none has been deleted. */
function linesIn(dir: string): string[] {
  return ['0', '1'].flatMap((worker) =>
    readdirSync(join(dir, worker))
      .filter((name) => name.endsWith('.journal'))
      .flatMap(
        (name) =>
          readFileSync(join(dir, worker, name), 'utf8').match(/"thing":"[^"]+","type":"feeder","seq":\d+/g) ??
          [],
      ),
  )
}

/** The same numbers for the same seed: `random(n)` is from 0 to n - 1. */
function createRandom(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}
