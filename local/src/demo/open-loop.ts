/** The open demo device at work, on npm `coap`: what it shows working, works for others. */
import { Agent, type OutgoingMessage, request } from 'coap'
import { OPEN_DEVICE, readingOf } from './open-device.ts'

/** From one report to the next, milliseconds. */
const INTERVAL_MS = 5000
/** A report without an answer by then is given up: the next one is newer. */
const PATIENCE_MS = 4000

/** @param told hears after each report whether it was answered, and with what */
export function runOpenDevice(port: number, told: (isAnswered: boolean, answer: string) => void): void {
  const agent = new Agent({ type: 'udp4' })
  agent.on('error', (error: Error) => told(false, error.message))

  function report(): void {
    const message: OutgoingMessage = request({
      agent,
      hostname: '127.0.0.1',
      port,
      method: 'POST',
      pathname: `/${OPEN_DEVICE.type}/${OPEN_DEVICE.thing}`,
    })
    const patience = setTimeout(() => {
      agent.abort(message)
      told(false, 'no answer')
    }, PATIENCE_MS)
    message.setOption('Content-Format', 'application/json')
    message.on('response', (response) => {
      clearTimeout(patience)
      told(response.code.startsWith('2.'), response.code)
    })
    message.on('error', (error: Error) => {
      clearTimeout(patience)
      told(false, error.message)
    })
    message.end(JSON.stringify(readingOf(Date.now())))
  }

  report()
  setInterval(report, INTERVAL_MS)
}
