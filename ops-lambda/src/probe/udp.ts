import { createSocket } from 'node:dgram'
import type { Exchange } from './check-in.ts'

/** When a message is sent again, milliseconds after it was sent first (RFC 7252 section 4.2, without the random factor). */
const AGAIN_MS = [2_000, 6_000]
const PATIENCE_MS = 10_000

/** Exchanges over a UDP socket of their own with one gateway. */
export function exchangeWith(host: string, port: number): Exchange {
  return (datagram, isAnswer) =>
    new Promise((resolve, reject) => {
      const socket = createSocket('udp4')
      const send = (): void => socket.send(datagram, port, host)
      const timers = [
        ...AGAIN_MS.map((delay) => setTimeout(send, delay)),
        setTimeout(() => end(() => reject(new Error(`No answer in ${PATIENCE_MS / 1000} s`))), PATIENCE_MS),
      ]
      function end(then: () => void): void {
        for (const timer of timers) clearTimeout(timer)
        socket.close()
        then()
      }
      socket.on('error', (error) => end(() => reject(error)))
      socket.on('message', (bytes) => {
        if (isAnswer(bytes)) end(() => resolve(bytes))
      })
      send()
    })
}
