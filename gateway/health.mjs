/**
 * Asks the gateway of this machine for its health over CoAP (`GET /health`): exit code 0 when it is ready, else 1 and the reason.
 * A container's HEALTHCHECK; PESEBRE_COAP_HOST and PESEBRE_COAP_PORT are those of the gateway.
 */
import { createSocket } from 'node:dgram'

const WAIT_MS = 3000
const CONTENT = 0x45
/** CON, no token, GET, message id 0x6865, Uri-Path "health", and a payload marker's worth of room for the answer. */
const REQUEST = Buffer.concat([Buffer.from([0x40, 0x01, 0x68, 0x65]), Buffer.from('\xb6health', 'latin1')])

const given = process.env['PESEBRE_COAP_HOST'] || '0.0.0.0'
const host = given === '0.0.0.0' ? '127.0.0.1' : given === '::' ? '::1' : given
const port = Number(process.env['PESEBRE_COAP_PORT'] || 5683)
const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
setTimeout(() => end(1, `No answer in ${WAIT_MS} ms: coap://${host}:${port}/health`), WAIT_MS)
socket.on('error', (error) => end(1, `Cannot ask for the health: ${error.message}`))
socket.on('message', (bytes) => {
  if (bytes[2] !== 0x68 || bytes[3] !== 0x65) return
  if (bytes[1] === CONTENT) end(0, 'ready')
  const payload = bytes.indexOf(0xff)
  end(1, `Not ready: ${payload < 0 ? `${bytes[1] >> 5}.0${bytes[1] & 31}` : bytes.subarray(payload + 1)}`)
})
socket.send(REQUEST, port, host)

function end(code, text) {
  console.log(text)
  process.exit(code)
}
