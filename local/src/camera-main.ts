/**
 * The demo camera: draws what it sees, and is else what a camera is. It speaks MQTT with a certificate of its own, and sends
 * pictures to the relay when it is told to. A process of its own, which the MQTT library keeps alive until it is told to exit.
 *
 * PESEBRE_CAMERA_KIT       what was flashed into it: a file
 * PESEBRE_CAMERA_KBPS      a link towards the relay that is no faster, kilobits a second; without it, as fast as the machine
 * PESEBRE_CAMERA_DELAY_MS  of that link, each way; default 60
 */
import { commandsTopic, eventsTopic } from '@pesebre/contract/camera'
import { createCamera } from './demo/camera/camera.ts'
import { openMqtt } from './demo/camera/mqtt.ts'
import { readKit } from './demo/camera/registration.ts'
import { takePicture } from './demo/camera/sensor.ts'

const kbps = Number(process.env['PESEBRE_CAMERA_KBPS'] ?? 0)
const delayMs = Number(process.env['PESEBRE_CAMERA_DELAY_MS'] ?? 60)
const kit = readKit(process.env['PESEBRE_CAMERA_KIT'] ?? '.pesebre/demo/camera.json')
const { thing, name = thing } = kit

const camera = createCamera({
  sensor: (level) => takePicture({ level, label: name, date: new Date() }),
  say: (event) => mqtt.publish(eventsTopic(thing), event),
  link: kbps > 0 ? { kbps, delayMs } : undefined,
  log: (text, fields) => log(30, text, fields),
})

let hasBegun = false
let isDown = false
const mqtt = await openMqtt({
  ...kit,
  topic: commandsTopic(thing),
  onMessage: camera.command,
  onReady() {
    isDown = false
    log(30, 'Connected', {})
    if (!hasBegun) camera.begin()
    hasBegun = true
  },
  onError(error) {
    // Once until it works again: a broker that is away must not fill the log.
    if (!isDown) log(40, `Cannot reach AWS IoT: ${error.message}`, {})
    isDown = true
  },
})

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    camera.stop()
    // Long enough for a farewell.
    setTimeout(() => process.exit(0), 100)
  })
}

function log(level: 30 | 40, msg: string, fields: object): void {
  process.stdout.write(`${JSON.stringify({ level, time: Date.now(), msg, thing, ...fields })}\n`)
}
