// Cameras and viewers for the relay, in one process: the time when a picture was taken and the time when it came are of one
// clock. Writes one line of JSON. Arguments: port, cameras, viewers of each, pictures a second, bytes, seconds, and, for one
// more viewer of the first camera on a slow link, kilobits a second (0: none).
import { get } from 'node:http'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { encodeFrame, FRAME_HEADER_BYTES } from '../contract/src/frame.ts'
import { openRaw } from './raw-websocket.ts'

const [port = 0, cameras = 1, viewers = 1, fps = 5, bytes = 3_500, seconds = 10, slowKbps = 0] = process.argv
  .slice(2)
  .map(Number)

export type RelayLoad = {
  /** Pictures that each viewer drew, a second: the least and the mean over viewers. */
  readonly fps_least: number
  readonly fps_mean: number
  /** From taking to arriving, milliseconds. */
  readonly p50: number
  readonly p99: number
  /** What a camera could not send, because two were unacknowledged. */
  readonly unsent: number
  /** The slow viewer: pictures a second, and the oldest picture that stood on its screen, milliseconds. */
  readonly slow_fps: number
  readonly slow_oldest: number
}

const ages: number[] = []
const drawn: number[] = []
let isMeasuring = false
let unsent = 0
const streams = new Map<string, Promise<void>>()

const jpeg = Buffer.alloc(bytes - FRAME_HEADER_BYTES, 0x55)
jpeg.set([0xff, 0xd8, 0xff])

get({ port, host: '127.0.0.1', path: '/commands', agent: false }, (response) => {
  createInterface(response).on('line', (line) => {
    const { topic, message } = JSON.parse(line)
    const camera = topic.split('/')[1]
    if (message.command === 'start') streams.set(message.streamId, stream(camera, message.token))
  })
})
await sleep(200)

const slow = { drawn: 0, oldest: 0 }
for (let camera = 0; camera < cameras; camera++)
  for (let viewer = 0; viewer < viewers; viewer++) await watch(camera)
if (slowKbps > 0) await watchSlowly()
while (streams.size < cameras) await sleep(50)
await Promise.all(streams.values())

await sleep(3_000)
process.stderr.write('measuring\n')
isMeasuring = true
unsent = 0
await sleep(seconds * 1_000)
isMeasuring = false
ages.sort((a, b) => a - b)
const at = (part: number) => ages[Math.min(ages.length - 1, Math.floor(part * ages.length))] ?? Number.NaN
const result: RelayLoad = {
  fps_least: Math.min(...drawn) / seconds,
  fps_mean: drawn.reduce((sum, one) => sum + one, 0) / drawn.length / seconds,
  p50: at(0.5),
  p99: at(0.99),
  unsent,
  slow_fps: slow.drawn / seconds,
  slow_oldest: slow.oldest,
}
console.log(JSON.stringify(result))
process.exit(0)

/** A camera that sends by the clock, with two unacknowledged at most. */
async function stream(name: string, token: string): Promise<void> {
  let seq = 0
  let acked = 0
  const raw = await openRaw({
    port,
    path: `/relay/v1/camera?token=${token}`,
    onMessage(opcode, payload) {
      if (opcode === 1) acked = (JSON.parse(payload.toString()) as { ack?: number }).ack ?? acked
    },
  })
  const send = () => {
    if (seq - acked >= 2) {
      unsent += 1
      return
    }
    raw.send(2, encodeFrame({ level: 5, flags: 0, seq: ++seq, captureUs: nowUs() }, jpeg))
  }
  // Cameras do not take their pictures in step.
  await sleep((Number.parseInt(name.slice(-4), 10) * 7) % (1_000 / fps))
  setInterval(send, 1_000 / fps)
}

/** A viewer that draws at once. */
async function watch(camera: number): Promise<void> {
  const index = drawn.push(0) - 1
  await openRaw({
    port,
    path: `/relay/v1/view/hrs_${camera}`,
    onMessage(opcode, payload, from) {
      if (opcode !== 2) return
      if (isMeasuring) {
        drawn[index]! += 1
        ages.push((nowUs() - captureUs(payload)) / 1_000)
      }
      from.send(1, Buffer.from(`{"ack":${payload.readUInt32BE(4)}}`))
    },
  })
}

/** A viewer whose link needs its time for each picture, one after the other, and who draws then. */
async function watchSlowly(): Promise<void> {
  let freeAt = 0
  let onScreenUs: number | undefined
  await openRaw({
    port,
    path: '/relay/v1/view/hrs_0',
    onMessage(opcode, payload, from) {
      if (opcode !== 2) return
      const now = performance.now()
      freeAt = Math.max(freeAt, now) + (payload.length * 8) / slowKbps
      const [seq, taken] = [payload.readUInt32BE(4), captureUs(payload)]
      setTimeout(() => {
        // The one on the screen got older until this moment.
        if (isMeasuring) {
          slow.drawn += 1
          if (onScreenUs !== undefined) slow.oldest = Math.max(slow.oldest, (nowUs() - onScreenUs) / 1_000)
        }
        onScreenUs = taken
        from.send(1, Buffer.from(`{"ack":${seq}}`))
      }, freeAt - now)
    },
  })
}

function nowUs(): number {
  return Math.round(performance.now() * 1_000)
}

function captureUs(frame: Buffer): number {
  return frame.readUInt32BE(8) * 2 ** 32 + frame.readUInt32BE(12)
}
