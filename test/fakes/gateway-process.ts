import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { until } from './until.ts'

const MAIN = fileURLToPath(new URL('../../gateway/src/main.ts', import.meta.url))
/** A gateway that is not there by then has failed: long, since the machine may be busy with other tests. */
const START_MAX_MS = 20_000
const STOP_MAX_MS = 20_000

export type GatewayOptions = {
  /** Settings over the defaults below; of createSqs() take `env`. An undefined one is left out. */
  env?: Record<string, string | undefined>
  /** Default: a new temporary directory that goes when the process is gone. Give one to start again on it. */
  journalDir?: string
}

/** The real gateway in a process of its own, on free ports of 127.0.0.1. */
export type GatewayProcess = {
  readonly coapPort: number
  readonly adminPort: number
  readonly journalDir: string
  readonly pid: number
  /** SIGTERM. Resolves with the exit code; null if it had to be killed after all. */
  stop(): Promise<number | null>
  /** SIGKILL, as a power cut. Resolves when it is gone. */
  kill(): Promise<void>
  /** Whether the process runs. */
  alive(): boolean
  /** What it wrote to standard output and error so far, line by line. */
  logs(): readonly string[]
  /** /metrics as numbers by name with labels: `pesebre_datagrams_total{outcome="ping"}`. */
  metrics(): Promise<Record<string, number>>
  /** Status and body of a path of the admin port. */
  admin(path: string): Promise<{ status: number; body: string }>
  /** Resident memory, bytes (/proc, so Linux only). */
  rss(): number
}

/**
 * Starts gateway/src/main.ts with the node that runs this test, and waits until it serves. Open reports are on, and without
 * `PESEBRE_QUEUE_URL` its queue is at a port that refuses. Rejects with its output if it does not come up.
 */
export async function startGateway({ env = {}, journalDir }: GatewayOptions = {}): Promise<GatewayProcess> {
  const dir = journalDir ?? mkdtempSync(join(tmpdir(), 'pesebre-gateway-'))
  const settings: Record<string, string | undefined> = {
    PATH: process.env['PATH'],
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    // Port 1 of the loopback: refused at once.
    AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:1',
    PESEBRE_QUEUE_URL: 'http://127.0.0.1:1/000000000000/pesebre-reports',
    PESEBRE_COAP_HOST: '127.0.0.1',
    PESEBRE_COAP_PORT: '0',
    PESEBRE_ADMIN_PORT: '0',
    PESEBRE_ALLOW_OPEN: 'true',
    PESEBRE_JOURNAL_DIR: dir,
    ...env,
  }
  const child = spawn(process.execPath, [MAIN], {
    env: Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exited = once(child, 'exit') as Promise<[number | null]>
  const endWithUs = (): boolean => child.kill('SIGKILL')
  process.once('exit', endWithUs)
  child.once('exit', () => {
    process.off('exit', endWithUs)
    if (journalDir === undefined) rmSync(dir, { recursive: true, force: true })
  })
  const lines = linesOf(child)
  const { coap: coapPort, admin: adminPort } = await ready(child, lines)
  const pid = child.pid!

  async function admin(path: string): Promise<{ status: number; body: string }> {
    const response = await fetch(`http://127.0.0.1:${adminPort}${path}`)
    return { status: response.status, body: await response.text() }
  }

  return {
    coapPort,
    adminPort,
    journalDir: dir,
    pid,
    stop: async () => {
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MAX_MS)
      const [code] = await exited
      clearTimeout(timer)
      return code
    },
    kill: async () => {
      child.kill('SIGKILL')
      await exited
    },
    alive: () => child.exitCode === null && child.signalCode === null,
    logs: () => lines.all,
    metrics: async () => numbersIn((await admin('/metrics')).body),
    admin,
    rss: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024,
  }
}

/** Waits until a gateway says that it is ready. */
export async function isReady({ admin }: GatewayProcess): Promise<void> {
  let ready: { status: number; body: string } | undefined
  await until(
    'ready',
    async () => {
      ready = await admin('/readyz')
      return ready.status === 200
    },
    () => ready,
  )
}

/** Waits until SQS has all that is in the journal of a gateway. */
export async function forwarded({ metrics }: GatewayProcess): Promise<void> {
  let backlog: number | undefined
  await until(
    'all forwarded',
    async () => {
      backlog = (await metrics())['pesebre_journal_backlog_bytes']
      return backlog === 0
    },
    () => `${backlog} bytes are left`,
  )
}

type Lines = { readonly all: string[]; listener: ((line: string) => void) | undefined }

function linesOf(child: ChildProcess): Lines {
  const lines: Lines = { all: [], listener: undefined }
  for (const stream of [child.stdout!, child.stderr!]) {
    let rest = ''
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => {
      const parts = (rest + text).split('\n')
      rest = parts.pop()!
      for (const line of parts) {
        lines.all.push(line)
        lines.listener?.(line)
      }
    })
  }
  return lines
}

/** Waits for the one event that says both ports. */
function ready(child: ChildProcess, lines: Lines): Promise<{ coap: number; admin: number }> {
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      done()
      child.kill('SIGKILL')
      reject(new Error(`Cannot start the gateway: ${why}\n${lines.all.join('\n')}`))
    }
    const timer = setTimeout(() => fail('not ready in time'), START_MAX_MS)
    const onExit = (code: number | null): void => fail(`exit code ${code}`)
    const done = (): void => {
      clearTimeout(timer)
      child.off('close', onExit)
      lines.listener = undefined
    }
    child.once('close', onExit)
    lines.listener = (line) => {
      if (!line.includes('"msg":"gateway ready"')) return
      done()
      resolve(JSON.parse(line) as { coap: number; admin: number })
    }
  })
}

function numbersIn(exposition: string): Record<string, number> {
  const samples = exposition.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return Object.fromEntries(
    samples.map((line) => {
      const space = line.lastIndexOf(' ')
      return [line.slice(0, space), Number(line.slice(space + 1))]
    }),
  )
}
