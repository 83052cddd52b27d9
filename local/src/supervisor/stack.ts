import { randomBytes } from 'node:crypto'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Session } from '@pesebre/contract/api/session'
import { cameraFile, ensureDemoCamera, readKit } from '../demo/camera/registration.ts'
import { type DemoDevice, ensureDemoDevices } from '../demo/registration.ts'
import { seedWeb } from '../demo/seed.ts'
import { type LogLevel, type Ports, portsInUse } from './config.ts'
import { ensureFleetKeys, ensureGatewayCertificates, ensureWebCertificate } from './credentials.ts'
import { GATEWAY_IDS } from './gateway-files.ts'
import { lockHome } from './home.ts'
import { ensurePages } from './pages.ts'
import { freePort, freePorts, portProblems } from './ports.ts'
import { environment, PROCESSES, type ProcessName, type ProcessSpec } from './processes.ts'
import { ensureBucket, ensureQueues, type QueueUrls } from './queues.ts'
import { StackError } from './stack-error.ts'
import { type ProcessEvent, type Supervised, supervise } from './supervised.ts'

/** The checkout. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

export type StackOptions = {
  /** Directory of everything that is kept; starting again with it finds all data. */
  readonly home: string
  /** `free` takes ports that nothing listens on. */
  readonly ports: Ports | 'free'
  /** How many gateways run, 1 or 2. Default 1. */
  readonly gateways?: number
  /** Whether the demo devices run. Default true. */
  readonly demo?: boolean
  /** Whether the web app runs. Default true. */
  readonly web?: boolean
  /** What the processes write into home/logs. Default info. */
  readonly logLevel?: LogLevel
  /** Inherited by the processes, apart from what concerns AWS. Default: nothing. */
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly onEvent?: (event: ProcessEvent) => void
  /** Gives the start up, and stops what runs by then. */
  readonly signal?: AbortSignal
  /** How long a process that died waits before it is started again, the first time. Default 500 ms. */
  readonly restartMs?: number
  /** Default: the real ones. */
  readonly processes?: readonly ProcessSpec[]
}

/** Where the web app is, and how somebody gets in. */
export type WebStanding = {
  readonly url: string
  /** Whether the demo accounts are there. */
  readonly demo: boolean
  /** Makes the first admin; undefined when there is one. */
  readonly setup: string | undefined
}

/** A local stack that runs. */
export type Stack = {
  readonly ports: Ports
  /** Absolute. */
  readonly home: string
  /** The registered demo devices; empty without demo. */
  readonly devices: readonly DemoDevice[]
  /** Thing name of the demo camera; undefined without demo. */
  readonly camera: string | undefined
  /** The web app; undefined when it does not run. */
  readonly web: WebStanding | undefined
  /** Of the run of this moment: a process that was restarted has another. */
  pid(name: ProcessName): number | undefined
  /** Resolves with the reason when the stack has stopped by itself, because a process kept dying. */
  readonly failed: Promise<Error>
  /** Stops all processes in reverse order and lets the home go. Takes less than five seconds. */
  stop(): Promise<void>
  /** Ends all processes without asking. */
  kill(): void
}

/**
 * Starts the local stack and waits until all of it is ready.
 * @throws StackError when the home is in use, a port is taken, a process does not come up, or `signal` was aborted;
 * nothing is left running
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const home = resolve(options.home)
  const release = lockHome(home)
  // Rejects when the stack cannot go on.
  const over = Promise.withResolvers<never>()
  const onAbort = () => over.reject(new StackError(['Stopped before everything was ready']))
  options.signal?.addEventListener('abort', onAbort)
  let all: readonly Supervised[] = []
  let stopping: Promise<void> | undefined
  const stop = () => {
    stopping ??= stopAll(all).finally(release)
    return stopping
  }

  try {
    const ports = options.ports === 'free' ? await freePorts() : options.ports
    const { gateways = 1 } = options
    const problems = await portProblems(ports, portsInUse(gateways))
    if (problems.length > 0) throw new StackError(problems)
    const start = prepare(
      { ...options, home, ports, gateways, lambdaPort: await freePort('tcp') },
      over.reject,
    )
    all = start.all
    await Promise.race([start.run(), over.promise])
    options.signal?.removeEventListener('abort', onAbort)
    return {
      ports,
      home,
      devices: start.devices(),
      camera: start.camera(),
      web: start.web(),
      pid: (name) => all.find((one) => one.name === name)?.pid(),
      failed: over.promise.catch(async (error: Error) => {
        await stop()
        return error
      }),
      stop,
      kill: () => {
        for (const one of all) one.kill()
      },
    }
  } catch (error) {
    await stop()
    throw error instanceof StackError ? error : new StackError([(error as Error).message], { cause: error })
  }
}

/** Sets up every process of the table, without starting one. */
function prepare(
  options: StackOptions & { ports: Ports; gateways: number; lambdaPort: number },
  onGivenUp: (error: Error) => void,
) {
  const {
    home,
    ports,
    gateways,
    lambdaPort,
    demo = true,
    web = true,
    logLevel = 'info',
    env = {},
    onEvent = () => undefined,
  } = options
  const absent = new Set<ProcessName>([
    ...(demo ? [] : (['demo', 'camera'] as const)),
    ...(web ? [] : (['web'] as const)),
    ...(gateways > 1 ? [] : (['gateway-b'] as const)),
  ])
  const specs = (options.processes ?? PROCESSES).filter(({ name }) => !absent.has(name))
  let queues: QueueUrls = { queue: '', deadLetters: '' }
  const setupToken = randomBytes(24).toString('base64url')
  let devices: readonly DemoDevice[] = []
  let camera: string | undefined
  let standing: WebStanding | undefined
  const all = specs.map((spec) =>
    supervise({
      name: spec.name,
      group: spec.stopsWith ?? spec.name,
      main: resolve(ROOT, spec.main),
      env: () => environment(spec, { ports, lambdaPort, home, gateways, logLevel, queues, setupToken }, env),
      ready: spec.ready(ports, lambdaPort),
      stopMs: spec.stopMs,
      restartMs: options.restartMs,
      logPath: join(home, 'logs', `${spec.name}.log`),
      onEvent,
      onGivenUp,
    }),
  )

  /** Starts each process as soon as what it needs is ready. */
  async function run(): Promise<void> {
    const ready = new Map<string, Promise<void>>()
    if (specs.some(({ needs }) => needs.includes('pages'))) ready.set('pages', makePages())
    for (const [index, spec] of specs.entries()) {
      const started = Promise.all(spec.needs.map((name) => ready.get(name))).then(() => all[index]!.start())
      ready.set(spec.name, started)
      if (spec.name === 'aws') ready.set('queues', started.then(makeQueues))
      // Only for who needs them: tests run the stack with processes that are no AWS IoT.
      if (spec.name === 'iot' && specs.some(({ needs }) => needs.includes('credentials')))
        ready.set('credentials', started.then(makeCredentials))
      if (spec.name === 'web') ready.set('seed', started.then(seed))
    }
    await Promise.all(ready.values())
  }

  /** Pages that cannot be built are no reason to stand still: everything else works, and the reason is told. */
  async function makePages(): Promise<void> {
    const problem = await ensurePages(ROOT)
    if (problem === undefined) return
    const text = `Cannot build the web app, so its pages are old or missing: ${problem}`
    onEvent({ kind: 'log', name: 'pages', event: { level: 'error', text, fields: {} } })
  }

  async function makeQueues(): Promise<void> {
    const endpoint = `http://127.0.0.1:${ports.aws}`
    queues = await ensureQueues(endpoint)
    await ensureBucket(endpoint)
  }

  async function makeCredentials(): Promise<void> {
    const endpoint = `http://127.0.0.1:${ports.iot}`
    ensureFleetKeys(home)
    await ensureGatewayCertificates(home, { endpoint, ids: GATEWAY_IDS.slice(0, gateways) })
    await ensureWebCertificate(home, endpoint)
    if (!demo) return
    devices = await ensureDemoDevices(home, endpoint)
    camera = (await ensureDemoCamera(home, { endpoint, host: '127.0.0.1', port: ports.mqtt })).thing
  }

  async function seed(): Promise<void> {
    const url = `http://localhost:${ports.web}`
    const isDemo = demo && (await seedDemo(url))
    const { needsSetup } = (await (await fetch(`${url}/api/session`)).json()) as Session
    standing = { url, demo: isDemo, setup: needsSetup ? `${url}/setup#${setupToken}` : undefined }
  }

  /** A demo that cannot be made is no reason to stand still either. */
  async function seedDemo(url: string): Promise<boolean> {
    const placements = [
      ...devices.map(({ name, thing, horse }) => ({ name, thing, horse })),
      { name: "Sol's camera", thing: readKit(cameraFile(home)).thing, horse: 'Sol' },
    ]
    try {
      return await seedWeb(url, { home, setupToken, placements })
    } catch (error) {
      const event = { level: 'error', text: (error as Error).message, fields: {} } as const
      onEvent({ kind: 'log', name: 'seed', event })
      return false
    }
  }

  return { all, run, devices: () => devices, camera: () => camera, web: () => standing }
}

/** One group after the other, the last one first: a process still has what it needs while it stops. */
async function stopAll(all: readonly Supervised[]): Promise<void> {
  const groups = Map.groupBy(all.toReversed(), ({ group }) => group)
  for (const group of groups.values()) await Promise.all(group.map((one) => one.stop()))
}
