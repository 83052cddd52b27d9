// The demo camera behind a slow link, watched by one viewer. Writes one line of JSON. Arguments: port, kilobits a second, seconds.
import { get } from 'node:http'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { createCamera } from '../local/src/demo/camera/camera.ts'
import { takePicture } from '../local/src/demo/camera/sensor.ts'
import { openRaw } from './raw-websocket.ts'

const [port = 0, kbps = 150, seconds = 10] = process.argv.slice(2).map(Number)

export type CameraLoad = {
  readonly fps: number
  readonly p50: number
  readonly p95: number
  readonly bytes: number
}

const camera = createCamera({
  sensor: (level) => takePicture({ level, label: 'Bella', date: new Date() }),
  say() {},
  link: { kbps, delayMs: 60 },
  log() {},
})
get({ port, host: '127.0.0.1', path: '/commands', agent: false }, (response) => {
  createInterface(response).on('line', (line) =>
    camera.command(Buffer.from(JSON.stringify(JSON.parse(line).message))),
  )
})
await sleep(200)

const ages: number[] = []
let bytes = 0
let isMeasuring = false
await openRaw({
  port,
  path: '/relay/v1/view/hrs_0',
  onMessage(opcode, payload, from) {
    if (opcode !== 2) return
    if (isMeasuring) {
      ages.push(performance.now() - (payload.readUInt32BE(8) * 2 ** 32 + payload.readUInt32BE(12)) / 1_000)
      bytes += payload.length
    }
    from.send(1, Buffer.from(`{"ack":${payload.readUInt32BE(4)}}`))
  },
})
// The ladder finds its step.
await sleep(6_000)
isMeasuring = true
await sleep(seconds * 1_000)
ages.sort((a, b) => a - b)
const at = (part: number) => ages[Math.floor(part * ages.length)] ?? Number.NaN
const result: CameraLoad = {
  fps: ages.length / seconds,
  p50: at(0.5),
  p95: at(0.95),
  bytes: bytes / ages.length,
}
console.log(JSON.stringify(result))
process.exit(0)
