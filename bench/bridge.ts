/**
 * The bridge on the local stack: records per second that are taken from packed batches, folded, and written to the shadows of
 * 1,000 things. Three processes as in `npm start`: queue, AWS IoT, poller with the bridge. Prints one line of JSON.
 *
 *     node bench/bridge.ts [--batches 300] [--things 1000] [--batch 50] [--profile]
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { BATCH_BODY_MAX } from '@pesebre/contract/limits'
import { ensureQueues } from '../local/src/supervisor/queues.ts'
import { BUILD, freeTcpPort, type Pinned, startPinned, stopAll, untilReady } from './processes.ts'

const ROOT = new URL('..', import.meta.url).pathname
const CORES = `0-${availableParallelism() - 1}`
/** Clock ticks of /proc/<pid>/stat in a second, as on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100

const { values } = parseArgs({
  options: {
    batches: { type: 'string', default: '300' },
    things: { type: 'string', default: '1000' },
    batch: { type: 'string', default: '50' },
    profile: { type: 'boolean', default: false },
  },
})
const batches = Number(values.batches)
const things = Number(values.things)

const home = mkdtempSync(join(tmpdir(), 'pesebre-bench-'))
try {
  process.stdout.write(`${JSON.stringify(await run())}\n`)
} finally {
  await stopAll()
  rmSync(home, { recursive: true, force: true })
}

async function run(): Promise<object> {
  const [awsPort, iotPort, mqttPort, readyPort] = await Promise.all([1, 2, 3, 4].map(freeTcpPort))
  const aws = `http://127.0.0.1:${awsPort}`
  const iot = `http://127.0.0.1:${iotPort}`
  const queue = startNode('bridge-aws', 'local/src/aws-main.ts', {
    PESEBRE_AWS_PORT: `${awsPort}`,
    PESEBRE_AWS_DIR: join(home, 'aws'),
  })
  const core = startNode('bridge-iot', 'local/src/iot/main.ts', {
    PESEBRE_IOT_PORT: `${iotPort}`,
    PESEBRE_MQTT_PORT: `${mqttPort}`,
    PESEBRE_HOME: home,
  })
  await untilReady({ what: 'the queue', log: queue.log, probe: () => answers(`${aws}/health`) })
  await untilReady({ what: 'AWS IoT', log: core.log, probe: () => answers(`${iot}/things`) })
  const urls = await ensureQueues(aws)
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' }
  const sqs = new SQSClient({ endpoint: aws, region: 'us-east-1', credentials, useQueueUrlAsEndpoint: false })
  const send = (body: string) => sqs.send(new SendMessageCommand({ QueueUrl: urls.queue, MessageBody: body }))
  const startPoller = async (args: string[] = []) => {
    const poller = startNode(
      'bridge-lambda',
      'local/src/lambda-main.ts',
      {
        AWS_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        AWS_ENDPOINT_URL_SQS: aws,
        AWS_ENDPOINT_URL_IOT: iot,
        AWS_ENDPOINT_URL_IOT_DATA_PLANE: iot,
        PESEBRE_QUEUE_URL: urls.queue,
        PESEBRE_DLQ_URL: urls.deadLetters,
        PESEBRE_LAMBDA_PORT: `${readyPort}`,
        PESEBRE_LAMBDA_BATCH: values.batch,
        PESEBRE_LOG_LEVEL: 'warn',
        // Making the things is not what is measured: the quota of an account would take ten seconds for them.
        PESEBRE_THINGS_PER_SECOND: '100000',
      },
      args,
    )
    const ready = `http://127.0.0.1:${readyPort}/readyz`
    await untilReady({ what: 'the poller', log: poller.log, probe: () => answers(ready) })
    return {
      ...poller,
      deleted: async () => ((await (await fetch(ready)).json()) as { deleted: number }).deleted,
    }
  }

  // Every thing is made, and has a shadow.
  const first = bodies(things, 0)
  for (const body of first) await send(body)
  const maker = await startPoller()
  while ((await maker.deleted()) < first.length) await sleep(50)
  await maker.stop()

  // The queue is filled while nobody takes from it; then a bridge with an empty memory starts on it.
  const records = batches * recordsPerBody()
  const filled = bodies(records, 1)
  for (let at = 0; at < filled.length; at += 8) await Promise.all(filled.slice(at, at + 8).map(send))
  const before = await versions(iot)
  const poller = await startPoller(values.profile ? ['--cpu-prof', `--cpu-prof-dir=${BUILD}`] : [])
  const cpu = { queue: cpuSeconds(queue.pid), iot: cpuSeconds(core.pid), bridge: cpuSeconds(poller.pid) }
  const started = performance.now()
  const taken = await poller.deleted()
  while ((await poller.deleted()) < filled.length) await sleep(20)
  const seconds = (performance.now() - started) / 1000
  const busy = (pid: number, since: number) => Math.round(((cpuSeconds(pid) - since) / seconds) * 100)
  const cpuPercent = {
    queue: busy(queue.pid, cpu.queue),
    iot: busy(core.pid, cpu.iot),
    bridge: busy(poller.pid, cpu.bridge),
  }
  const after = await versions(iot)
  await poller.stop()
  sqs.destroy()

  const newest = Math.ceil(records / things)
  const behind = after.filter(
    ({ seq }, n) => seq < newest - (n < records % things || records % things === 0 ? 0 : 1),
  )
  if (behind.length > 0) throw new Error(`Shadows without their newest report: ${behind.length}`)
  const writes = sum(after) - sum(before)
  const measured = records * (1 - taken / filled.length)
  return {
    bench: 'bridge',
    records_per_s: Math.round(measured / seconds),
    writes_per_s: Math.round(writes / seconds),
    records: Math.round(measured),
    writes,
    seconds: Number(seconds.toFixed(2)),
    things,
    body_bytes: filled[0]!.length,
    records_per_body: recordsPerBody(),
    messages_per_invocation: Number(values.batch),
    cpu_percent: cpuPercent,
  }

  async function versions(endpoint: string): Promise<{ version: number; seq: number }[]> {
    const found: { version: number; seq: number }[] = []
    for (let n = 0; n < things; n++) {
      const answer = await fetch(`${endpoint}/things/${thingName(n)}/shadow`)
      const { version, state } = (await answer.json()) as {
        version: number
        state: { reported: { link: { seq: number } } }
      }
      found.push({ version, seq: state.reported.link.seq })
    }
    return found
  }
}

function sum(shadows: { version: number }[]): number {
  return shadows.reduce((total, { version }) => total + version, 0)
}

function startNode(name: string, main: string, env: Record<string, string>, args: string[] = []): Pinned {
  return startPinned({
    name,
    cores: CORES,
    command: process.execPath,
    args: [...args, join(ROOT, main)],
    env,
  })
}

function thingName(n: number): string {
  return `feeder-${n.toString(16).padStart(8, '0')}`
}

/** Report number `n`: the things take turns, as their check-ins do. */
function recordText(n: number, generation: number): string {
  const seq = generation === 0 ? 0 : Math.floor(n / things) + 1
  const at = 1_790_000_000_000 + n
  const state = {
    hopper_pct: 100 - (seq % 100),
    battery_mv: 3_000 + ((n * 7) % 1_000),
    temperature: (n % 400) / 10,
  }
  return JSON.stringify({
    thing: thingName(n % things),
    type: 'feeder',
    seq,
    at,
    received: at,
    state,
    link: { size: 101, interval_s: 300 },
  })
}

/** As many of the longest records as fit a body. */
function recordsPerBody(): number {
  return Math.floor((BATCH_BODY_MAX - 100) / (recordText(99_999_999, 1).length + 1))
}

function bodies(records: number, generation: number): string[] {
  const made: string[] = []
  for (let at = 0; at < records; at += recordsPerBody()) {
    const end = Math.min(records, at + recordsPerBody())
    const texts = Array.from({ length: end - at }, (_, n) => recordText(at + n, generation))
    const batch = `01JD${made.length.toString().padStart(22, '0')}`
    made.push(`{"v":1,"gateway":"a","batch":"${batch}","records":[${texts.join(',')}]}`)
  }
  return made
}

async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    ({ ok }) => ok,
    () => false,
  )
}

/** Processor time that a process has used, from the kernel. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}
