import { execFile } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { promisify } from 'node:util'
import { startIot } from '../../local/src/iot/start.ts'
import { ensureWebCertificate } from '../../local/src/supervisor/credentials.ts'
import type { Findings } from '../figures.ts'
import type { LiveLoad } from '../live-load.ts'
import { type Plan, progress } from '../plan.ts'
import {
  BUILD,
  freeTcpPort,
  LOAD_CORE,
  residentMb,
  SERVER_CORE,
  startPinned,
  untilReady,
} from '../processes.ts'

const here = (file: string) => new URL(file, import.meta.url).pathname
const run = promisify(execFile)
const BROWSERS = 1_000

type Measured = LiveLoad & { readonly mb: number }

/** A shadow changes at AWS IoT: how long until a thousand browsers have it. */
export async function live(plan: Plan): Promise<Findings> {
  const found: Measured[] = []
  for (let round = 1; round <= Math.min(plan.rounds, 3); round++) {
    progress(`round ${round}`)
    found.push(await measure(plan.quick ? 10 : 30))
  }
  return {
    name: 'live',
    title: 'A change of a shadow reaches 1,000 browsers',
    how: "AWS IoT's stand-in, the web server's MQTT process, its live channel on core 0; the browsers, all watching one device, in a process on core 1. Counted from the call that changes the shadow, three a second.",
    rows: [
      { what: 'to a browser, p50', unit: 'ms', values: found.map(({ p50 }) => p50) },
      { what: 'to a browser, p99', unit: 'ms', values: found.map(({ p99 }) => p99) },
      {
        what: 'to the last of 1,000, median of the changes',
        unit: 'ms',
        values: found.map(({ last }) => last),
      },
      { what: 'resident, with 1,000 browsers', unit: 'MB', values: found.map(({ mb }) => mb) },
    ],
    goals: [
      {
        what: 'to the last of 1,000 browsers, the slowest change',
        values: found.map(({ worst }) => worst),
        at: 'most',
        target: 250,
        unit: 'ms',
      },
      {
        what: 'changes that did not arrive',
        values: found.map(({ missed }) => missed),
        at: 'most',
        target: 0,
      },
    ],
    notes: [],
  }
}

async function measure(changes: number): Promise<Measured> {
  const home = `${BUILD}live`
  rmSync(home, { recursive: true, force: true })
  mkdirSync(home, { recursive: true })
  const iot = await startIot({
    dir: `${home}/iot`,
    restPort: 0,
    mqttPort: 0,
    onError: (error) => progress(String(error)),
  })
  const rest = `http://127.0.0.1:${iot.restPort}`
  await ensureWebCertificate(home, rest)
  const port = await freeTcpPort()
  const server = startPinned({
    name: 'live',
    cores: SERVER_CORE,
    command: process.execPath,
    args: [here('../servers/live.ts'), `${port}`, home, `${iot.mqttPort}`],
    env: {
      AWS_ENDPOINT_URL_IOT_DATA_PLANE: rest,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
    },
  })
  try {
    await untilReady({
      what: 'the live channel',
      log: server.log,
      probe: () =>
        fetch(`http://127.0.0.1:${port}/`).then(
          ({ ok }) => ok,
          () => false,
        ),
    })
    const args = [port, iot.restPort, BROWSERS, changes].map(String)
    const { stdout } = await run('taskset', [
      '-c',
      LOAD_CORE,
      process.execPath,
      here('../live-load.ts'),
      ...args,
    ])
    return { ...(JSON.parse(stdout) as LiveLoad), mb: residentMb(server.pid) }
  } finally {
    await server.stop()
    await iot.close()
  }
}
