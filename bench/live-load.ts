// Browsers on the live channel, and a device whose shadow changes: how long each change takes to reach each of them.
// Arguments: port of the web server, REST port of AWS IoT's stand-in, browsers, changes. Prints LiveLoad as JSON.
import { setTimeout as sleep } from 'node:timers/promises'
import { IoTDataPlaneClient, UpdateThingShadowCommand } from '@aws-sdk/client-iot-data-plane'
import { WebSocket } from 'ws'

export type LiveLoad = {
  /** From the call that changes the shadow to its arrival in a browser, milliseconds. */
  readonly p50: number
  readonly p99: number
  /** Of each change the browser that heard of it last; the median and the worst of the changes. */
  readonly last: number
  readonly worst: number
  /** Changes that did not reach a browser. */
  readonly missed: number
}

const [port, restPort, browsers, changes] = process.argv.slice(2).map(Number) as [
  number,
  number,
  number,
  number,
]
const THING = 'feeder-00000001'
const EVERY_MS = 300
const LAST_MS = 3_000
const AT_ONCE = 50

const { cookie, origin } = (await (await fetch(`http://127.0.0.1:${port}/`)).json()) as {
  cookie: string
  origin: string
}
const sent: number[] = []
const arrived: number[][] = Array.from({ length: changes }, () => [])
let ready = 0

for (let from = 0; from < browsers; from += AT_ONCE)
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, browsers - from) }, connect))
while (ready < browsers) await sleep(20)
process.stderr.write('begun\n')

const data = new IoTDataPlaneClient({
  endpoint: `http://127.0.0.1:${restPort}`,
  region: 'us-east-1',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
})
for (let n = 0; n < changes; n++) {
  const link = { at: Date.now(), seq: n, gateway: 'a', interval_s: 300 }
  const reported = { hopper_pct: n % 100, battery_mv: 3700 + n, temp_c: 12.5, rssi_dbm: -61, link }
  sent[n] = performance.now()
  const payload = Buffer.from(JSON.stringify({ state: { reported } }))
  await data.send(new UpdateThingShadowCommand({ thingName: THING, payload }))
  await sleep(EVERY_MS)
}
const end = performance.now() + LAST_MS
while (arrived.some(({ length }) => length < browsers) && performance.now() < end) await sleep(20)

const all = arrived.flat().sort((a, b) => a - b)
const lasts = arrived.map((times) => Math.max(...times)).sort((a, b) => a - b)
const load: LiveLoad = {
  p50: all[Math.floor(all.length / 2)] ?? Number.NaN,
  p99: all[Math.floor(all.length * 0.99)] ?? Number.NaN,
  last: lasts[Math.floor(lasts.length / 2)] ?? Number.NaN,
  worst: lasts.at(-1) ?? Number.NaN,
  missed: browsers * changes - all.length,
}
console.log(JSON.stringify(load))
process.exit(0)

async function connect(): Promise<void> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/api/live`, {
    headers: { cookie, origin },
    perMessageDeflate: false,
  })
  socket.on('message', (bytes) => {
    const text = bytes.toString()
    if (text.includes('"watching"')) ready++
    const n = Number(/"kind":"state".*"seq":(\d+)/.exec(text)?.[1] ?? -1)
    const at = sent[n]
    if (at !== undefined) arrived[n]?.push(performance.now() - at)
  })
  await new Promise((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  socket.send(JSON.stringify({ watch: { things: [THING] } }))
}
