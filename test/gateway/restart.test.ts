import { createSocket } from 'node:dgram'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Report } from '@pesebre/contract/report'
import t from 'tap'
import { drainQueue } from '../e2e/queue-contents.ts'
import { forwarded, startGateway } from '../fakes/gateway-process.ts'
import { startSqs } from '../fakes/sqs.ts'
import { until } from '../fakes/until.ts'
import { fleetKeyFile } from './secure-device.ts'
import { startSecureReporters } from './secure-reporters.ts'

t.setTimeout(1_800_000)

/** How often the gateways are killed: half as often as those of test/e2e/power-cut, so 100 times in `.ci/run`, as S2 asks. */
const KILLS = Number(process.env['PESEBRE_KILLS'] ?? 16) / 2
const DEVICES = 12
const LIFE_MAX_MS = 400
/** They report as fast as they are answered: no limit of a device may refuse them. */
const NO_LIMITS = {
  PESEBRE_DEVICE_RATE: '100000',
  PESEBRE_DEVICE_BURST: '100000',
  PESEBRE_ADDRESS_RATE: '100000',
  PESEBRE_ADDRESS_BURST: '100000',
}

// D7 and S2: window and report are committed together.
for (const workers of [1, 2])
  t.test(
    `kill -9 at random instants under OSCORE load, ${workers} workers: nothing is lost, no fresh message refused, no replay accepted`,
    { timeout: 1_800_000 },
    async (t) => {
      const kills = Math.ceil(KILLS / 2)
      const sqs = await startSqs()
      t.teardown(sqs.close)
      const host = ownAddress(workers)
      const journalDir = mkdtempSync(join(tmpdir(), 'pesebre-restart-'))
      t.teardown(() => rmSync(journalDir, { recursive: true, force: true }))
      const env = {
        AWS_ENDPOINT_URL_SQS: sqs.url,
        PESEBRE_QUEUE_URL: sqs.queueUrl,
        PESEBRE_FLEET_KEYS: fleetKeyFile(t),
        PESEBRE_COAP_HOST: host,
        ...NO_LIMITS,
        // Small ones, so that windows have to come from the snapshot, since their lines are gone.
        PESEBRE_JOURNAL_SEGMENT_BYTES: '65536',
        PESEBRE_WORKERS: String(workers),
      }
      const reports: Report[] = []
      const collect = async () => reports.push(...(await drainQueue(sqs)))

      let gateway = await startGateway({ env, journalDir })
      const reporters = startSecureReporters({ devices: DEVICES, host, port: gateway.coapPort })
      t.teardown(reporters.close)
      const afterRestart: (string | undefined)[] = []
      let replayed = 0
      for (let kill = 0; kill < kills; kill++) {
        await sleep(Math.random() * LIFE_MAX_MS)
        await gateway.kill()
        reporters.pause()
        gateway = await startGateway({ env, journalDir })
        reporters.aim(gateway.coapPort)
        afterRestart.push(...(await reporters.once(10_000)))
        replayed += await replay(reporters.recorded, { host, port: gateway.coapPort })
        await collect()
        reporters.resume()
      }
      await sleep(LIFE_MAX_MS)
      reporters.pause()
      await sleep(300)
      await forwarded(gateway)
      const metrics = await gateway.metrics()
      await gateway.stop()
      await collect()

      t.comment(
        `${kills} kills, ${reporters.recorded.length} sent, ${reporters.acknowledged.size} acknowledged, ${replayed} replayed`,
      )
      t.ok(reporters.acknowledged.size > kills * DEVICES, 'there was load')
      t.ok(replayed > kills * DEVICES)
      t.strictSame(
        afterRestart.filter((code) => code !== '2.04'),
        [],
        'the first message of every device after a restart, a NON, is taken at once',
      )
      t.ok(metrics['pesebre_datagrams_total{outcome="replayed"}']! > 0)
      // SQS may hold a record twice, and then it is the same one. Accepted twice, it would have another time.
      const received = new Map<string, Set<number>>()
      for (const { thing, seq, received: at } of reports) {
        const key = `${thing}:${seq}`
        received.set(key, (received.get(key) ?? new Set()).add(at))
      }
      const twice = [...received].filter(([, times]) => times.size > 1).map(([key]) => key)
      t.strictSame(twice, [], 'no number is accepted twice')
      const lost = [...reporters.acknowledged].filter((key) => !received.has(key))
      t.strictSame(lost, [], 'what was acknowledged is not lost')
      t.strictSame(
        Object.keys(reporters.codes).filter((code) => code.startsWith('refused')),
        [],
      )
    },
  )

t.test('fewer workers after a restart: what the others had seen is known', async (t) => {
  const journalDir = mkdtempSync(join(tmpdir(), 'pesebre-restart-'))
  t.teardown(() => rmSync(journalDir, { recursive: true, force: true }))
  const host = ownAddress(3)
  const env = {
    ...NO_LIMITS,
    PESEBRE_FLEET_KEYS: fleetKeyFile(t),
    PESEBRE_COAP_HOST: host,
    PESEBRE_STOP_TIMEOUT_MS: '100',
  }
  const gateway = await startGateway({ env: { ...env, PESEBRE_WORKERS: '3' }, journalDir })
  const reporters = startSecureReporters({ devices: 12, host, port: gateway.coapPort, first: 500 })
  t.teardown(reporters.close)
  await until(
    '100 acknowledged',
    () => reporters.acknowledged.size >= 100,
    () => reporters.codes,
  )
  reporters.pause()
  await until(
    `all ${reporters.recorded.length} acknowledged`,
    () => reporters.acknowledged.size === reporters.recorded.length,
    () => reporters.codes,
  )
  await gateway.kill()
  // Once more, so that a snapshot stands between what was seen and what is left of the journals.
  for (const workers of ['2', '1']) {
    const next = await startGateway({ env: { ...env, PESEBRE_WORKERS: workers }, journalDir })
    await replay(reporters.recorded, { host, port: next.coapPort })
    await sleep(300)
    const metrics = await next.metrics()
    t.equal(metrics['pesebre_reports_kept_total'], 0)
    t.equal(metrics['pesebre_datagrams_total{outcome="replayed"}'], reporters.recorded.length)
    await next.kill()
  }
})

/** Sends everything that was ever recorded from a new port; the gateway's answers are counted as refusals by its metrics. */
async function replay(recorded: readonly Uint8Array[], to: { host: string; port: number }): Promise<number> {
  const socket = createSocket('udp4')
  let pong: () => void = () => {}
  socket.on('message', (bytes) => {
    if (bytes.length === 4 && bytes[0] === 0x70) pong()
  })
  for (let i = 0; i < recorded.length; i++) {
    socket.send(recorded[i]!, to.port, to.host)
    if (i % 100 === 99 || i === recorded.length - 1) {
      let isAnswered = false
      pong = () => {
        isAnswered = true
      }
      socket.send(Uint8Array.of(0x40, 0, i >> 8, i & 0xff), to.port, to.host)
      await until(
        `an answer to the ping after datagram ${i}`,
        () => isAnswered,
        () => 'none',
      )
    }
  }
  await new Promise<void>((resolve) => socket.close(resolve))
  return recorded.length
}

/** See power-cut.test.ts: a port that another gateway may be given must not be sent to while this one is dead. */
function ownAddress(workers: number): string {
  if (process.platform !== 'linux') return '127.0.0.1'
  return `127.${1 + (process.pid % 250)}.${Math.floor(process.pid / 250) % 250}.${10 + workers}`
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
