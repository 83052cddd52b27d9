/**
 * Registered feeders in a network of their own, behind a bad NAT: their datagrams are lost, doubled, delayed and reordered, and
 * they come from another port every few check-ins. Runs until SIGTERM and prints what they know as JSON.
 * Arguments: how many, and the addresses of gateways a and b.
 */
import { createSocket, type Socket } from 'node:dgram'
import type { Outcome } from '@pesebre/contract/check-in'
import { createSecureDevice, hear, type Sent } from '../../gateway/secure-device.ts'

const [count, ...addresses] = process.argv.slice(2)
const GATEWAYS = ['a', 'b'].map((id, index) => ({ id, address: addresses[index]! }))
const PORT = 5683
const LOST = 0.12
const DOUBLED = 0.05
const DELAY_MAX_MS = 120
const PATIENCE_MS = 600
const PAUSE_MS = 250
/** After so many check-ins the NAT has forgotten a device. */
const REBIND_EVERY = 5

export type Told = {
  thing: string
  /** Highest number that was answered 2.04. */
  acknowledged: number
  answers: number
  /** How often each command was carried out. */
  performed: Record<number, number>
  /** Answers that are neither 2.04 nor silence. */
  refused: string[]
  /** Answers by gateway. */
  by: Record<string, number>
}

let isEnding = false
process.on('SIGTERM', () => {
  isEnding = true
})
const told = await Promise.all(Array.from({ length: Number(count) }, (_, number) => live(number + 1)))
process.stdout.write(`${JSON.stringify(told)}\n`)

async function live(number: number): Promise<Told> {
  // Its own numbers, in time: no run uses those of another.
  const device = createSecureDevice({
    number,
    next: Math.floor((Date.now() - Date.UTC(2026, 0, 1)) / 1000) * 16,
  })
  const self: Told = { thing: device.thing, acknowledged: -1, answers: 0, performed: {}, refused: [], by: {} }
  const outcomes: Outcome[] = []
  let acted = 0
  let gateway = number % 2
  let socket = createSocket('udp4')
  for (let turn = 0; !isEnding; turn++) {
    if (turn % REBIND_EVERY === 0) {
      socket.close()
      socket = createSocket('udp4')
    }
    const { id, address } = GATEWAYS[gateway]!
    const sent = device.checkIn(
      {
        state: { turn },
        clock: Math.floor(Date.now() / 1000),
        interval_s: 1,
        ...(outcomes.length > 0 && { outcomes }),
      },
      { gateway: id },
    )
    const heard = await ask(socket, sent, address)
    if (heard === undefined) {
      gateway = 1 - gateway
      continue
    }
    if (heard.code !== '2.04') {
      // Said by anyone, or of a repeat that overtook its first: the device asks again, with a new number.
      if (heard.code !== 'unprotected 4.01') self.refused.push(heard.code)
      continue
    }
    self.acknowledged = Math.max(self.acknowledged, sent.partialIv)
    self.answers++
    self.by[id] = (self.by[id] ?? 0) + 1
    const { acked_upto: safe = 0, commands = [] } = heard.downlink
    while (outcomes.length > 0 && outcomes[0]!.n! <= safe) outcomes.shift()
    for (const { n, grams = 0 } of commands) {
      if (n <= acted) continue
      acted = n
      self.performed[n] = (self.performed[n] ?? 0) + 1
      outcomes.push({ n, state: 'done', grams, age_s: 0 })
    }
    await pause(PAUSE_MS * (0.5 + Math.random()))
  }
  socket.close()
  return self
}

/** The first answer that verifies, or else one that does not, or none. */
function ask(socket: Socket, sent: Sent, address: string): Promise<ReturnType<typeof hear> | undefined> {
  return new Promise((resolve) => {
    let unverified: ReturnType<typeof hear> | undefined
    const end = (result: ReturnType<typeof hear> | undefined): void => {
      clearTimeout(timer)
      socket.off('message', onMessage)
      resolve(result)
    }
    const timer = setTimeout(() => end(unverified), PATIENCE_MS)
    const onMessage = (bytes: Buffer): void =>
      badly(() => {
        const heard = hear(bytes, sent)
        if (/^\d/.test(heard.code)) end(heard)
        else if (heard.code.startsWith('unprotected')) unverified = heard
      })
    socket.on('message', onMessage)
    socket.on('error', () => {})
    badly(() => socket.send(sent.bytes, PORT, address, () => {}))
  })
}

/** Does something as a bad network does it: not at all, twice, or later than what comes after it. */
function badly(act: () => void): void {
  if (isEnding || Math.random() < LOST) return
  const times = Math.random() < DOUBLED ? 2 : 1
  for (let time = 0; time < times; time++)
    setTimeout(() => {
      try {
        act()
      } catch {
        // Its socket was closed by the NAT.
      }
    }, Math.random() * DELAY_MAX_MS)
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
