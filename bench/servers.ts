import { createSocket } from 'node:dgram'
import { mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { packGateway } from '../gateway/pack.ts'
import {
  BUILD,
  findProgram,
  freeTcpPort,
  freeUdpPort,
  LOAD_CORE,
  type Pinned,
  SERVER_CORE,
  startPinned,
  untilReady,
} from './processes.ts'

/** A server under test, reachable on 127.0.0.1. */
export type Server = {
  title: string
  port: number
  pid: number
  /** Path for the generator: one thing per source port where the server tells things apart. */
  path: string
  /** All series of /metrics with their values, by name and labels as written there; only the gateway has them. */
  metrics?: () => Promise<Map<string, number>>
  stop: () => Promise<void>
}

export type Gateway = Server & {
  journalDir: string
  metrics: () => Promise<Map<string, number>>
  /** What the queue has got; only where the gateway forwards. */
  tally?: () => Promise<Tally>
  stopQueue: () => Promise<void>
}

export type Tally = { messages: number; bytes: number; records: number; repeats: number }

export type GatewayOptions = {
  /** Whether a queue is there. Without one its endpoint refuses: the gateway journals and retries. */
  forward?: boolean
  workers?: number
  cores?: string
  /** File for the bitmap of what reached the queue. */
  tallyFile?: string
  /** Extra arguments for Node, such as --cpu-prof. */
  nodeArguments?: string[]
  /** File with the fleet keys; without, there is no OSCORE. */
  fleetKeys?: string
  /** Security contexts that a worker keeps. */
  contextsMax?: number
}

const NODE = process.execPath
/**
 * As README.md starts a gateway, and docker/ and the systemd unit. On a machine with much memory V8 would let garbage grow for long,
 * and no measurement would say what a gateway takes on the small instance that it is made for.
 */
const GATEWAY_NODE_ARGUMENTS = ['--max-semi-space-size=8', '--max-old-space-size=256']
const THING_PATH = 'load/d%05u'
const ONE_PATH = 'load/d00000'
const LIBCOAP = ['coap-server-notls', 'coap-server']
const here = (file: string) => new URL(file, import.meta.url).pathname

/** Debian's libcoap server, or undefined when it is not installed. */
export const libcoapProgram = findProgram(...LIBCOAP)

/** Raw Node UDP echo on the server's core. */
export async function startEcho(): Promise<Server> {
  return startPeer({
    title: 'raw Node UDP echo',
    name: 'echo',
    command: NODE,
    args: [here('servers/echo.ts')],
  })
}

/** npm `coap` on the server's core. */
export async function startNpmCoap(): Promise<Server> {
  return startPeer({
    title: 'npm coap',
    name: 'npm-coap',
    command: NODE,
    args: [here('servers/npm-coap.ts')],
  })
}

/** Debian's libcoap server. Its example knows no POST to a path of ours until a PUT has made it (-d). */
export async function startLibcoap(): Promise<Server> {
  if (!libcoapProgram) throw new Error('Could not start libcoap: coap-server is not installed (libcoap3-bin)')
  const args = ['-A', '127.0.0.1', '-d', '10', '-p']
  const server = await startPeer({ title: 'libcoap', name: 'libcoap', command: libcoapProgram, args })
  await ask(server.port, PUT, ONE_PATH)
  return server
}

async function startPeer(o: {
  title: string
  name: string
  command: string
  args: string[]
}): Promise<Server> {
  const port = await freeUdpPort()
  const child = startPinned({ ...o, cores: SERVER_CORE, args: [...o.args, String(port)] })
  await untilReady({ what: o.title, log: child.log, probe: () => ask(port, POST, ONE_PATH) })
  return { title: o.title, port, pid: child.pid, path: ONE_PATH, stop: child.stop }
}

/** Our gateway as it is shipped: its own main, bundled, its journal with fdatasync in a directory on this disk. */
export async function startGateway(o: GatewayOptions = {}): Promise<Gateway> {
  const port = await freeUdpPort()
  const adminPort = await freeTcpPort()
  const queuePort = await freeTcpPort()
  const tallyPort = await freeTcpPort()
  const queue = o.forward ? await startQueue(queuePort, tallyPort, o.tallyFile) : undefined
  const journalDir = mkdtempSync(`${BUILD}journal-`)
  const remove = () => rmSync(journalDir, { recursive: true, force: true })
  // They are gigabytes: none may stay behind when a run is broken off.
  process.once('exit', remove)
  const child = startPinned({
    name: 'gateway',
    cores: o.cores ?? SERVER_CORE,
    command: NODE,
    args: [...GATEWAY_NODE_ARGUMENTS, ...(o.nodeArguments ?? []), await packed()],
    env: {
      ...gatewayEnvironment({ port, adminPort, queuePort, journalDir, workers: o.workers ?? 1 }),
      ...(o.fleetKeys ? { PESEBRE_FLEET_KEYS: o.fleetKeys } : {}),
      ...(o.contextsMax ? { PESEBRE_CONTEXTS_MAX: String(o.contextsMax) } : {}),
    },
  })
  const admin = `http://127.0.0.1:${adminPort}`
  const stop = async () => {
    try {
      await child.stop()
      await queue?.stop()
    } finally {
      remove()
      process.off('exit', remove)
    }
  }
  const probe = () =>
    fetch(`${admin}/readyz`).then(
      (r) => r.ok,
      () => false,
    )
  try {
    await untilReady({ what: 'the gateway', log: child.log, probe })
  } catch (error) {
    await stop()
    throw error
  }
  const tally = () => fetch(`http://127.0.0.1:${tallyPort}`).then((r) => r.json()) as Promise<Tally>
  return {
    title: o.forward ? 'gateway, journals and forwards' : 'gateway, journals',
    port,
    pid: child.pid,
    path: THING_PATH,
    journalDir,
    metrics: () => readMetrics(`${admin}/metrics`),
    ...(queue ? { tally } : {}),
    stopQueue: async () => queue?.stop(),
    stop,
  }
}

let package_: Promise<void> | undefined

/** The gateway as image and systemd unit have it: two files of JavaScript, made once for a run. */
async function packed(): Promise<string> {
  package_ ??= packGateway(`${BUILD}gateway`)
  await package_
  return `${BUILD}gateway/dist/main.js`
}

async function startQueue(port: number, tallyPort: number, tallyFile?: string): Promise<Pinned> {
  const args = [here('servers/queue.ts'), String(port), String(tallyPort), ...(tallyFile ? [tallyFile] : [])]
  const child = startPinned({ name: 'queue', cores: LOAD_CORE, command: NODE, args })
  const probe = () =>
    fetch(`http://127.0.0.1:${tallyPort}`).then(
      (r) => r.ok,
      () => false,
    )
  await untilReady({ what: 'the local queue', log: child.log, probe })
  return child
}

function gatewayEnvironment(o: {
  port: number
  adminPort: number
  queuePort: number
  journalDir: string
  workers: number
}): Record<string, string> {
  // The limits are per device and per address, and here a few ports speak for a whole fleet.
  const unlimited = '10000000'
  return {
    PESEBRE_COAP_HOST: '127.0.0.1',
    PESEBRE_COAP_PORT: String(o.port),
    PESEBRE_ADMIN_PORT: String(o.adminPort),
    PESEBRE_QUEUE_URL: `http://127.0.0.1:${o.queuePort}/000000000000/pesebre-reports`,
    AWS_ENDPOINT_URL_SQS: `http://127.0.0.1:${o.queuePort}`,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'bench',
    AWS_SECRET_ACCESS_KEY: 'bench',
    PESEBRE_JOURNAL_DIR: o.journalDir,
    PESEBRE_JOURNAL_MAX_BYTES: String(16 * 2 ** 30),
    PESEBRE_ALLOW_OPEN: 'true',
    PESEBRE_WORKERS: String(o.workers),
    PESEBRE_DEVICE_RATE: unlimited,
    PESEBRE_DEVICE_BURST: unlimited,
    PESEBRE_ADDRESS_RATE: unlimited,
    PESEBRE_ADDRESS_BURST: unlimited,
    PESEBRE_LOG_LEVEL: 'warn',
  }
}

async function readMetrics(url: string): Promise<Map<string, number>> {
  const text = await (await fetch(url)).text()
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line) => [
      line.slice(0, line.lastIndexOf(' ')),
      Number(line.slice(line.lastIndexOf(' ') + 1)),
    ]),
  )
}

/** Name of a memory file system if the journals would lie on one: its fdatasync costs nothing and proves nothing. */
export function memoryFileSystem(): string | undefined {
  const known = new Map([
    [0x01021994, 'tmpfs'],
    [0x858458f6, 'ramfs'],
  ])
  return known.get(statfsSync(BUILD).type)
}

const POST = 2
const PUT = 3

/** One confirmable request with a small CBOR body; true when anything comes back within 200 ms. */
async function ask(port: number, method: number, path: string): Promise<boolean> {
  const segments = path.split('/').map((segment) => Buffer.from(segment))
  const options = segments.map((bytes, i) =>
    Buffer.concat([Buffer.of((i === 0 ? 0xb0 : 0) | bytes.length), bytes]),
  )
  const head = Buffer.of(0x41, method, Math.random() * 256, Math.random() * 256, 0x70)
  const datagram = Buffer.concat([head, ...options, Buffer.of(0x11, 60, 0xff, 0xa0)])
  const socket = createSocket('udp4')
  try {
    return await new Promise<boolean>((resolve) => {
      socket.once('message', () => resolve(true))
      socket.once('error', () => resolve(false))
      socket.connect(port, '127.0.0.1', () => socket.send(datagram, () => {}))
      setTimeout(() => resolve(false), 200)
    })
  } finally {
    socket.close()
  }
}
