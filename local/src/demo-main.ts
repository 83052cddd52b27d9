/**
 * Two demo feeders that report to the gateway every few seconds. They are built on npm `coap`, a client that is not
 * ours: what they show working, works for others.
 */
import { Encoder } from 'cbor-x'
import { Agent, type OutgoingMessage, request } from 'coap'
import { DEMO_FEEDERS, type DemoFeeder, readingOf } from './demo-feeder.ts'

/** From one report of a feeder to its next, milliseconds. */
const INTERVAL_MS = 5000
/** A report without an answer by then is given up: the next one is newer. */
const PATIENCE_MS = 4000

const port = Number(process.env['PESEBRE_COAP_PORT'] ?? 5683)
const cbor = new Encoder({ useRecords: false, tagUint8Array: false })

for (const [index, feeder] of DEMO_FEEDERS.entries()) {
  setTimeout(() => run(feeder), (index * INTERVAL_MS) / DEMO_FEEDERS.length)
}
// Nothing is kept and nothing is under way that matters.
process.on('SIGTERM', () => process.exit(0))
process.on('SIGINT', () => process.exit(0))

function run(feeder: DemoFeeder): void {
  const agent = new Agent({ type: 'udp4' })
  let heard: boolean | undefined
  agent.on('error', (error: Error) => told(false, error.message))

  /** Logs a change only: a gateway that is away must not fill the log. */
  function told(answered: boolean, answer: string): void {
    if (heard === answered) return
    heard = answered
    const msg = answered ? 'Reports are answered' : `Cannot report: ${answer}`
    const level = answered ? 30 : 40
    process.stdout.write(`${JSON.stringify({ level, time: Date.now(), msg, thing: feeder.thing })}\n`)
  }

  function report(): void {
    const message: OutgoingMessage = request({
      agent,
      hostname: '127.0.0.1',
      port,
      method: 'POST',
      pathname: `/feeder/${feeder.thing}`,
      confirmable: feeder.confirmable,
    })
    const patience = setTimeout(() => {
      agent.abort(message)
      told(false, 'no answer')
    }, PATIENCE_MS)
    message.setOption('Content-Format', feeder.format)
    message.on('response', (response) => {
      clearTimeout(patience)
      told(response.code.startsWith('2.'), response.code)
    })
    message.on('error', (error: Error) => {
      clearTimeout(patience)
      told(false, error.message)
    })
    const reading = readingOf(feeder, Date.now())
    message.end(feeder.format === 'application/json' ? JSON.stringify(reading) : cbor.encode(reading))
  }

  report()
  setInterval(report, INTERVAL_MS)
}
