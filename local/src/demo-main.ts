/**
 * The demo devices: two virtual feeders that are registered and speak OSCORE only, and one device that reports in the open form.
 * A SIGTERM at any moment is a power cut to the feeders: their memory is in PESEBRE_HOME/demo.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { startDevice } from './demo/device.ts'
import { openSequence, readRecord, writeRecord } from './demo/files.ts'
import { chooseGateway, type Gateway } from './demo/gateways.ts'
import { batteryAt, noise, OPEN_DEVICE } from './demo/open-device.ts'
import { runOpenDevice } from './demo/open-loop.ts'
import { demoFiles, readIdentity } from './demo/registration.ts'
import { createSecureLink } from './demo/secure-link.ts'

/** What the motor gives in a second, grams. */
const GRAMS_PER_S = 200
/** Measurements change no oftener, milliseconds: a report that says nothing new shows that, too. */
const STEADY_MS = 60_000

const home = process.env['PESEBRE_HOME'] ?? '.pesebre'
const port = Number(process.env['PESEBRE_COAP_PORT'] ?? 5683)
const portB = process.env['PESEBRE_COAP_PORT_B']
const gateways: Gateway[] = [
  { id: 'a', host: '127.0.0.1', port },
  ...(portB ? [{ id: 'b', host: '127.0.0.1', port: Number(portB) }] : []),
]

process.on('SIGTERM', () => process.exit(0))
process.on('SIGINT', () => process.exit(0))

for (const file of demoFiles(home)) runFeeder(file).catch((error: Error) => log(50, error.message, {}))
runOpenDevice(port, changesOf(OPEN_DEVICE.thing))

async function runFeeder(file: string): Promise<never> {
  const identity = readIdentity(file)
  const { thing, number } = identity
  const warn = (text: string) => log(40, text, { thing })
  const path = (what: string) => file.replace(/\.json$/, `.${what}`)
  const sequence = openSequence(path('sequence'))
  const link = createSecureLink(identity, { gateways: chooseGateway(gateways, number), sequence })
  const told = changesOf(thing)
  const device = startDevice(readRecord(path('memory'), warn), {
    save: (record) => writeRecord(path('memory'), record),
    async dispense(grams) {
      log(30, 'Motor runs', { thing, grams })
      await sleep((grams / GRAMS_PER_S) * 1000)
      return { state: 'done', grams }
    },
    async exchange(uplink) {
      const result = await link.exchange(uplink)
      if ('answer' in result) {
        told(true, '')
        return result.answer
      }
      told(false, `${result.problem} (gateway ${result.gateway.id})`)
      return undefined
    },
    monotonic: () => performance.now(),
    measure() {
      const at = Math.floor(Date.now() / STEADY_MS) * STEADY_MS
      return {
        battery_mv: batteryAt(number, at),
        rssi_dbm: Math.round(-62 + 5 * noise(number, at)),
        temp_c: Math.round(180 + 40 * noise(number + 1, at)) / 10,
      }
    },
    sleep,
    warn,
  })
  for (;;) {
    await device.wakeUp()
    await sleep(device.intervalS() * 1000)
  }
}

/** Logs a change only: a gateway that is away must not fill the log. */
function changesOf(thing: string): (isAnswered: boolean, answer: string) => void {
  let heard: boolean | undefined
  return (isAnswered, answer) => {
    if (heard === isAnswered) return
    heard = isAnswered
    if (isAnswered) log(30, 'Reports are answered', { thing })
    else log(40, `Cannot report: ${answer}`, { thing })
  }
}

function log(level: 30 | 40 | 50, msg: string, fields: object): void {
  process.stdout.write(`${JSON.stringify({ level, time: Date.now(), msg, ...fields })}\n`)
}
