/**
 * The demo devices: two virtual feeders that are registered and speak OSCORE only, and one device that reports in the open form.
 * A SIGTERM at any moment is a power cut to the feeders: their memory is in PESEBRE_HOME/demo.
 */
import { existsSync, readFileSync } from 'node:fs'
import { type Gateway, loadFirmware } from './demo/core.ts'
import { startFeeder } from './demo/feeder.ts'
import { OPEN_DEVICE } from './demo/open-device.ts'
import { runOpenDevice } from './demo/open-loop.ts'
import { demoFiles, readIdentity } from './demo/registration.ts'
import { openStore } from './demo/store.ts'

const home = process.env['PESEBRE_HOME'] ?? '.pesebre'
const port = Number(process.env['PESEBRE_COAP_PORT'] ?? 5683)
const portB = process.env['PESEBRE_COAP_PORT_B']
const gateways: Gateway[] = [
  { id: 'a', host: '127.0.0.1', port },
  ...(portB ? [{ id: 'b', host: '127.0.0.1', port: Number(portB) }] : []),
]

process.on('SIGTERM', () => process.exit(0))
process.on('SIGINT', () => process.exit(0))

const firmware = loadFirmware()
for (const file of demoFiles(home)) {
  try {
    runFeeder(file)
  } catch (error) {
    log(50, (error as Error).message, {})
  }
}
runOpenDevice(port, changesOf(OPEN_DEVICE.thing))

function runFeeder(file: string): void {
  const { thing, number, kid, secret } = readIdentity(file)
  const told = changesOf(thing)
  const path = file.replace(/\.json$/, '.store')
  const first = existsSync(path) ? 0 : spokenBefore(file)
  const feeder = startFeeder({
    firmware,
    number,
    kid: Buffer.from(kid, 'hex'),
    secret: Buffer.from(secret, 'hex'),
    gateways,
    store: openStore(path, first),
    slots: path,
    log(event, value, gateway) {
      if (event === 'answered') told(true, '')
      else if (event === 'unanswered') told(false, `no verified answer (gateway ${gateway})`)
      else if (event === 'motorOn') log(30, 'Motor runs', { thing, grams: value })
      else if (event === 'recordUnreadable') log(40, 'Cannot read what it knew of meals: latched', { thing })
      else if (event === 'fetching') log(30, 'Fetches another firmware', { thing, from: value })
      else if (event === 'fetchFailed') log(40, 'Cannot take the firmware', { thing, problem: value })
      else if (event === 'switching')
        log(30, 'Firmware is verified and boots, on trial', { thing, version: value })
      else if (event === 'kept') log(30, 'New firmware stays', { thing, version: value })
      else if (event === 'reverted')
        log(40, 'New firmware had no answer, and goes', { thing, version: value })
      else if (event === 'storeFailed') log(40, 'Cannot write its memory', { thing })
    },
  })
  // What it knew of meals stayed behind with the program of before: somebody has looked.
  if (first > 0) feeder.pressButton()
}

/** Where the sequence was that demo feeders kept in a file of their own before they ran the firmware: it must not begin again. */
function spokenBefore(file: string): number {
  const path = file.replace(/\.json$/, '.sequence')
  return existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0
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
