/**
 * The middle of a small internet, run inside its network namespace by network.test.ts: the stand-ins for AWS and the bridge, and
 * from here two gateways and their devices in namespaces of their own. Cuts one gateway off, then the other, and kills one.
 * Arguments: a directory, and the prefix of the namespaces. Prints what came of it as JSON.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  GetThingShadowCommand,
  IoTDataPlaneClient,
  UpdateThingShadowCommand,
} from '@aws-sdk/client-iot-data-plane'
import { readControl } from '@pesebre/contract/control'
import { FLEET_KEYS_FILE } from '@pesebre/contract/local-stack'
import { ensureGatewayCertificates, writeSecret } from '../../../local/src/supervisor/credentials.ts'
import { type GatewayId, gatewayFiles } from '../../../local/src/supervisor/gateway-files.ts'
import { ensureQueues } from '../../../local/src/supervisor/queues.ts'
import { FLEET_KEY } from '../../gateway/secure-device.ts'
import type { Told } from './devices.ts'

const [home = '', prefix = ''] = process.argv.slice(2)
const ROOT = new URL('../../..', import.meta.url).pathname
const AWS = 'http://127.0.0.1:4566'
const IOT = 'http://127.0.0.1:4567'
const DEVICES = 6
const COMMANDS = 4
const CUT_MS = 3500
const READ_READYZ = "fetch('http://127.0.0.1:9683/readyz').then(r=>r.text()).then(console.log,()=>{})"

const base: NodeJS.ProcessEnv = {
  PATH: process.env['PATH'],
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'local',
  AWS_SECRET_ACCESS_KEY: 'local',
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_ENDPOINT_URL_SQS: AWS,
  AWS_ENDPOINT_URL_S3: AWS,
  AWS_ENDPOINT_URL_IOT: IOT,
  AWS_ENDPOINT_URL_IOT_DATA_PLANE: IOT,
  PESEBRE_HOME: home,
  PESEBRE_LOG_LEVEL: 'warn',
}
const children: ChildProcess[] = []
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})
process.on('SIGTERM', () => process.exit(1))

type Place = { place?: string; env?: NodeJS.ProcessEnv }

/** A process here, or in the namespace `place`; its output goes into a file. */
function start(name: string, args: readonly string[], { place, env = {} }: Place = {}): ChildProcess {
  const log = openSync(join(home, `${name}.log`), 'a')
  const command = [process.execPath, ...args]
  const [program = '', ...rest] =
    place === undefined ? command : ['ip', 'netns', 'exec', prefix + place, ...command]
  const child = spawn(program, rest, {
    cwd: ROOT,
    env: { ...base, ...env },
    stdio: ['ignore', name === 'devices' ? 'pipe' : log, log],
  })
  children.push(child)
  return child
}

mkdirSync(home, { recursive: true })
writeSecret(join(home, FLEET_KEYS_FILE), JSON.stringify({ 1: FLEET_KEY.toString('hex') }))
start('aws', ['local/src/aws-main.ts'])
start('iot', ['local/src/iot/main.ts'])
start('relay', ['test/deploy/network/relay.ts', '10.83.0.1', '127.0.0.1', '4566', '4567', '8883'])
for (const url of [`${AWS}/health`, `${IOT}/healthz`]) await until(async () => (await fetch(url)).ok)
const queues = await ensureQueues(AWS)
await ensureGatewayCertificates(home, { endpoint: IOT, ids: ['a', 'b'] })
start('lambda', ['local/src/lambda-main.ts'], {
  env: { PESEBRE_QUEUE_URL: queues.queue, PESEBRE_DLQ_URL: queues.deadLetters, PESEBRE_LAMBDA_PORT: '4570' },
})

const iot = new IoTDataPlaneClient({
  endpoint: IOT,
  region: 'us-east-1',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
})
const things = Array.from(
  { length: DEVICES },
  (_, index) => `feeder-${(index + 1).toString(16).padStart(8, '0')}`,
)
const queued = new Map(things.map((thing) => [thing, [] as object[]]))
for (const thing of things) await desire(thing)

for (const place of ['a', 'b'])
  start(
    `relay-${place}`,
    ['test/deploy/network/relay.ts', '127.0.0.1', '10.83.0.1', '4566', '4567', '8883'],
    { place },
  )
let gateways = { a: startGateway('a'), b: startGateway('b') }
for (const id of ['a', 'b']) await until(async () => (await readyz(id)).includes('"mailboxes":true'))

const devices = start(
  'devices',
  ['test/deploy/network/devices.ts', String(DEVICES), '10.83.1.2', '10.83.2.2'],
  { place: 'd' },
)
let output = ''
devices.stdout!.on('data', (bytes: Buffer) => {
  output += String(bytes)
})

const steps: (() => void | Promise<void>)[] = [
  () => link('a', 'down'),
  () => link('a', 'up'),
  () => link('b', 'down'),
  () => link('b', 'up'),
  async () => {
    gateways.a.kill('SIGKILL')
    await once(gateways.a, 'exit')
    gateways = { ...gateways, a: startGateway('a') }
  },
]
let lowered = 0
const highest = new Map<string, number>()
const watch = setInterval(() => {
  for (const thing of things)
    seqOf(thing).then(
      (seq) => {
        if (seq < (highest.get(thing) ?? -1)) lowered++
        highest.set(thing, Math.max(seq, highest.get(thing) ?? -1))
      },
      () => {},
    )
}, 150)
await pause(1500)
for (const [index, step] of steps.entries()) {
  await step()
  if (index < COMMANDS) for (const thing of things) await command(thing, index + 1)
  await pause(CUT_MS)
}
// Until every feeder has spoken of every command, or somebody ends this.
await until(async () => (await Promise.all(things.map(doneOf))).every((done) => done.length === COMMANDS))
devices.kill('SIGTERM')
await once(devices, 'exit')
clearInterval(watch)
const told = JSON.parse(output) as Told[]
await until(async () =>
  (
    await Promise.all(told.map(async ({ thing, acknowledged }) => (await seqOf(thing)) >= acknowledged))
  ).every(Boolean),
)
const outcomes = Object.fromEntries(
  await Promise.all(things.map(async (thing) => [thing, await doneOf(thing)] as const)),
)
writeFileSync(join(home, 'result.json'), JSON.stringify({ told, outcomes, lowered, commands: COMMANDS }))
process.exit(0)

function startGateway(id: GatewayId): ChildProcess {
  const files = gatewayFiles(home, id)
  return start(`gateway-${id}`, ['gateway/src/main.ts'], {
    place: id,
    env: {
      PESEBRE_GATEWAY_ID: id,
      PESEBRE_QUEUE_URL: queues.queue,
      PESEBRE_JOURNAL_DIR: files.journal,
      PESEBRE_FLEET_KEYS: join(home, FLEET_KEYS_FILE),
      PESEBRE_MQTT_HOST: '127.0.0.1',
      PESEBRE_MQTT_CERT: files.certificate,
      PESEBRE_MQTT_KEY: files.key,
      PESEBRE_MQTT_CA: files.authority,
      PESEBRE_DEVICE_RATE: '1000',
    },
  })
}

/** The cable between a gateway and everything else. */
function link(id: GatewayId, state: 'up' | 'down'): void {
  execFileSync('ip', ['link', 'set', `to-${id}`, state])
}

async function readyz(id: string): Promise<string> {
  return execFileSync('ip', ['netns', 'exec', prefix + id, process.execPath, '-e', READ_READYZ], {
    encoding: 'utf8',
  })
}

async function command(thing: string, n: number): Promise<void> {
  const at = Math.floor(Date.now() / 1000)
  queued.get(thing)!.push({ n, kind: 'feed', grams: 100, notAfter: at + 300, by: 'test', at })
  await desire(thing)
}

async function desire(thing: string): Promise<void> {
  const payload = Buffer.from(
    JSON.stringify({ state: { desired: { enabled: true, queue: queued.get(thing) } } }),
  )
  await iot.send(new UpdateThingShadowCommand({ thingName: thing, shadowName: 'control', payload }))
}

async function shadow(
  thing: string,
  shadowName?: string,
): Promise<{ reported?: { link?: { seq: number } } }> {
  const { payload } = await iot.send(new GetThingShadowCommand({ thingName: thing, shadowName }))
  return (JSON.parse(new TextDecoder().decode(payload)) as { state: object }).state
}

async function seqOf(thing: string): Promise<number> {
  return (await shadow(thing)).reported?.link?.seq ?? -1
}

/** Numbers of the commands that the control shadow knows to be done. */
async function doneOf(thing: string): Promise<number[]> {
  const { reported } = readControl(await shadow(thing, 'control'))
  return (reported.outcomes?.items ?? []).filter(({ state }) => state === 'done').map(({ n }) => n)
}

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  while (!(await isTrue().catch(() => false))) await pause(200)
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
