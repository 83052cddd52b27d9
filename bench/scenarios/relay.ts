import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Findings } from '../figures.ts'
import { type Plan, progress } from '../plan.ts'
import {
  freeTcpPort,
  LOAD_CORE,
  type Pinned,
  residentMb,
  SERVER_CORE,
  startPinned,
  untilReady,
} from '../processes.ts'
import type { CameraLoad } from '../relay-camera.ts'
import type { RelayLoad } from '../relay-load.ts'

const here = (file: string) => new URL(file, import.meta.url).pathname
const run = promisify(execFile)
/** Clock ticks a second, as /proc counts. */
const TICKS = 100

type Relay = Pinned & { readonly port: number }
type Measured = RelayLoad & { readonly cpu: number; readonly mb: number; readonly mbBefore: number }

/** The camera relay: many cameras, many viewers of one, a slow one among them, and a camera on a slow link. */
export async function relay(plan: Plan): Promise<Findings> {
  const seconds = plan.quick ? 5 : 10
  const rounds = Math.min(plan.rounds, 3)
  const many: Measured[] = []
  const one: Measured[] = []
  const slow: CameraLoad[] = []
  for (let round = 1; round <= rounds; round++) {
    progress(`round ${round} of ${rounds}`)
    many.push(await load({ cameras: 500, viewers: 2, fps: 5, bytes: 3_500, seconds }))
    one.push(await load({ cameras: 1, viewers: 100, fps: 25, bytes: 20_000, seconds, slowKbps: 150 }))
    slow.push(await camera(seconds))
  }
  return {
    name: 'relay',
    title: 'Camera relay',
    how: 'The relay of the web server on core 0, cameras and viewers in a process on core 1. Viewers acknowledge as they do after drawing. The slow viewer draws each picture when a link of 150 kbps would have carried it; the demo camera sends through a link of 150 kbps with 60 ms each way.',
    rows: [
      {
        what: '500 cameras, 1,000 viewers, 5 fps of 3.5 kB: CPU',
        unit: '% of a core',
        values: many.map(({ cpu }) => cpu),
      },
      { what: 'their pictures, mean of viewers', unit: 'fps', values: many.map(({ fps_mean }) => fps_mean) },
      { what: 'their p99', unit: 'ms', values: many.map(({ p99 }) => p99) },
      { what: 'resident', unit: 'MB', values: many.map(({ mb }) => mb) },
      {
        what: '1 camera, 100 viewers, 25 fps of 20 kB: CPU',
        unit: '% of a core',
        values: one.map(({ cpu }) => cpu),
      },
      { what: 'resident', unit: 'MB', values: one.map(({ mb }) => mb) },
      { what: 'the slow viewer among them', unit: 'fps', values: one.map(({ slow_fps }) => slow_fps) },
      { what: 'demo camera over 150 kbps: mean size', unit: 'bytes', values: slow.map(({ bytes }) => bytes) },
      { what: 'median age on arrival', unit: 'ms', values: slow.map(({ p50 }) => p50) },
    ],
    goals: [
      {
        what: '500 cameras: CPU',
        values: many.map(({ cpu }) => cpu),
        at: 'most',
        target: 30,
        unit: '% of a core',
      },
      {
        what: '500 cameras: fps of the viewer with least',
        values: many.map(({ fps_least }) => fps_least),
        at: 'least',
        target: 4.8,
      },
      {
        what: '100 viewers: fps of the one with least',
        values: one.map(({ fps_least }) => fps_least),
        at: 'least',
        target: 24.5,
      },
      { what: '100 viewers: p99', values: one.map(({ p99 }) => p99), at: 'most', target: 20, unit: 'ms' },
      {
        what: 'slow viewer: oldest picture on its screen',
        values: one.map(({ slow_oldest }) => slow_oldest),
        at: 'most',
        target: 3_000,
        unit: 'ms',
      },
      {
        what: 'resident at the end / after 3 s',
        values: one.map(({ mb, mbBefore }) => mb / mbBefore),
        at: 'most',
        target: 1.25,
      },
      {
        what: 'demo camera over 150 kbps',
        values: slow.map(({ fps }) => fps),
        at: 'least',
        target: 4,
        unit: 'fps',
      },
      {
        what: 'its pictures: p95 of the age on arrival',
        values: slow.map(({ p95 }) => p95),
        at: 'most',
        target: 600,
        unit: 'ms',
      },
    ],
    notes: [],
  }
}

async function load(o: {
  cameras: number
  viewers: number
  fps: number
  bytes: number
  seconds: number
  slowKbps?: number
}): Promise<Measured> {
  const server = await startRelay()
  try {
    const { cameras, viewers, fps, bytes, seconds, slowKbps = 0 } = o
    const args = [server.port, cameras, viewers, fps, bytes, seconds, slowKbps].map(String)
    const generator = run('taskset', ['-c', LOAD_CORE, process.execPath, here('../relay-load.ts'), ...args])
    const begun = new Promise<void>((resolve) => generator.child.stderr?.once('data', () => resolve()))
    // One that fails says nothing more: then its own end tells why.
    await Promise.race([begun, generator])
    const [cpuBefore, mbBefore, from] = [cpuMs(server.pid), residentMb(server.pid), performance.now()]
    await sleep(seconds * 1_000 - 100)
    const cpu = ((cpuMs(server.pid) - cpuBefore) / (performance.now() - from)) * 100
    const mb = residentMb(server.pid)
    return { ...(JSON.parse((await generator).stdout) as RelayLoad), cpu, mb, mbBefore }
  } finally {
    await server.stop()
  }
}

async function camera(seconds: number): Promise<CameraLoad> {
  const server = await startRelay()
  try {
    const args = [server.port, 150, seconds].map(String)
    const { stdout } = await run('taskset', [
      '-c',
      LOAD_CORE,
      process.execPath,
      here('../relay-camera.ts'),
      ...args,
    ])
    return JSON.parse(stdout) as CameraLoad
  } finally {
    await server.stop()
  }
}

async function startRelay(): Promise<Relay> {
  const port = await freeTcpPort()
  const child = startPinned({
    name: 'relay',
    cores: SERVER_CORE,
    command: process.execPath,
    args: [here('../servers/relay.ts'), String(port)],
  })
  await untilReady({
    what: 'the relay',
    log: child.log,
    probe: () =>
      fetch(`http://127.0.0.1:${port}/`).then(
        ({ ok }) => ok,
        () => false,
      ),
  })
  return { ...child, port }
}

/** What a process has used of processors so far, milliseconds (proc(5), stat, fields 14 and 15). */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return ((Number(fields[11]) + Number(fields[12])) / TICKS) * 1_000
}
