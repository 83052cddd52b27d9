/**
 * A stable of virtual devices beside the demo's: `stable-main.ts <feeders> <cameras> <speed>`, behind `npx pesebre demo`. They are
 * registered with the local stack that runs on this machine, and kept in PESEBRE_HOME/stable, so that the next time they are the same.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { FLEET_KEYS_FILE, PORTS } from '@pesebre/contract/local-stack'
import { ensureDemoCamera } from './demo/camera/registration.ts'
import { loadFirmware } from './demo/core.ts'
import { startFeeder } from './demo/feeder.ts'
import { ensureFeeders, readIdentity } from './demo/registration.ts'
import { openStore } from './demo/store.ts'

const HOST = '127.0.0.1'
const EVERY_MS = 10_000
const CAMERA = fileURLToPath(new URL('camera-main.ts', import.meta.url))

const [feeders = 0, cameras = 0, speed = 1] = process.argv.slice(2).map(Number)
const home = process.env['PESEBRE_HOME'] ?? '.pesebre'
const endpoint = `http://${HOST}:${portOf('iot')}`
const folder = join(home, 'stable')
const children: ChildProcess[] = []
const counts = { answered: 0, unanswered: 0, portions: 0 }

process.on('SIGTERM', end)
process.on('SIGINT', end)

try {
  if (!existsSync(join(home, FLEET_KEYS_FILE)))
    throw new Error(`no local stack has run in ${home}: npm start first`)
  mkdirSync(folder, { recursive: true })
  await startFeeders()
  for (let index = 0; index < cameras; index++) await startCamera(join(folder, `camera-${index + 1}.json`))
} catch (error) {
  console.error(`Cannot start the stable: ${(error as Error).message}`)
  process.exit(1)
}
console.log(`${feeders} feeders, ${cameras} cameras, their time at ${speed} times ours; Ctrl-C ends them`)
setInterval(() => {
  console.log(
    `${counts.answered} check-ins answered, ${counts.unanswered} not, ${counts.portions} portions given`,
  )
}, EVERY_MS)

async function startFeeders(): Promise<void> {
  const firmware = loadFirmware()
  const wanted = Array.from({ length: feeders }, (_, index) => ({
    horse: `Horse ${index + 1}`,
    file: join(folder, `feeder-${index + 1}.json`),
  }))
  for (const { file } of await ensureFeeders(wanted, { home, endpoint })) {
    const { number, kid, secret } = readIdentity(file)
    startFeeder({
      firmware,
      number,
      kid: Buffer.from(kid, 'hex'),
      secret: Buffer.from(secret, 'hex'),
      gateways: [{ id: 'a', host: HOST, port: portOf('coap') }],
      store: openStore(file.replace(/\.json$/, '.store')),
      slots: file.replace(/\.json$/, '.store'),
      speed,
      log(event) {
        if (event === 'answered') counts.answered++
        if (event === 'unanswered') counts.unanswered++
        if (event === 'motorOn') counts.portions++
      },
    })
  }
}

async function startCamera(file: string): Promise<void> {
  await ensureDemoCamera(home, { endpoint, host: HOST, port: portOf('mqtt'), file })
  const env = { ...process.env, PESEBRE_CAMERA_KIT: file }
  children.push(spawn(process.execPath, [CAMERA], { env, stdio: ['ignore', 'ignore', 'inherit'] }))
}

function portOf(name: keyof typeof PORTS): number {
  const { setting, standard } = PORTS[name]
  return Number(process.env[setting] ?? standard)
}

function end(): void {
  for (const child of children) child.kill('SIGTERM')
  process.exit(0)
}
