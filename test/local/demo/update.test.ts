/** A virtual feeder takes another firmware: from a real HTTP host, into its slots, with the boot loader and the rules of a real one. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Downlink, FirmwareRelease, FirmwareWord, Uplink } from '@pesebre/contract/check-in'
import t from 'tap'
import { type CoreEvent, loadFirmware, type Tuning } from '../../../local/src/demo/core.ts'
import { DEMO_TUNING, startFeeder } from '../../../local/src/demo/feeder.ts'
import { imageOf } from '../../../local/src/demo/image.ts'
import { openStore } from '../../../local/src/demo/store.ts'
import { until } from '../../fakes/until.ts'
import { KID, NUMBER, SECRET, startLoneGateway } from './lone-gateway.ts'

t.setTimeout(120_000)

const builtIn = loadFirmware()
const EPOCH = 1_800_000_000
type Tap = { teardown(handler: () => void): void; testdir(): string }

const TUNING: Tuning = { ...DEMO_TUNING, intervalS: 1, fullAfterS: 1, updateBackOffS: 1 }
/** Gives a firmware up that gets no answer for four seconds. */
const HASTY: Tuning = { ...TUNING, windowMinMs: 300, windowMaxMs: 300, updateTrialS: 4 }

/** A feeder, its gateway, and the host of its firmware. */
async function setUp(
  t: Tap,
  image: Uint8Array,
  serve?: (request: IncomingMessage, response: ServerResponse) => void,
  tuning = TUNING,
) {
  const asked: (string | undefined)[] = []
  const host = createServer((request, response) => {
    asked.push(request.headers.range)
    if (serve) return void serve(request, response)
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
    response.writeHead(from > 0 ? 206 : 200).end(image.subarray(from))
  })
  await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve))
  t.teardown(() => void host.close())
  const release: FirmwareRelease = {
    version: 2,
    size: image.length,
    sha256: createHash('sha256').update(image).digest('hex'),
    url: `http://127.0.0.1:${(host.address() as AddressInfo).port}/feeder-2.bin`,
  }
  const wants: { release: FirmwareRelease | undefined } = { release }
  // A gateway's rule (gateway/src/app/mailbox.ts).
  const gateway = await startLoneGateway(
    t,
    'a',
    ({ clock, firmware }: Uplink): Downlink => ({
      ...(clock === 0 && { time: EPOCH }),
      ...(firmware &&
        wants.release &&
        firmware.version !== wants.release.version && { firmware: wants.release }),
    }),
  )
  const path = `${t.testdir()}/feeder.store`
  const events: string[] = []
  const on = () => {
    const feeder = startFeeder({
      firmware: builtIn,
      number: NUMBER,
      kid: KID,
      secret: SECRET,
      gateways: [gateway],
      store: openStore(path),
      slots: path,
      log: (event: CoreEvent, number) => events.push(`${event} ${number}`),
      tuning,
    })
    let isOn = true
    const stop = () => {
      if (isOn) feeder.stop()
      isOn = false
    }
    t.teardown(stop)
    return { stop }
  }
  const words = (): FirmwareWord[] =>
    gateway.heard.flatMap(({ uplink }) => (uplink.firmware ? [uplink.firmware] : []))
  return { asked, release, wants, gateway, events, on, words, path }
}

t.test(
  'a release is fetched, verified, booted, and kept after a verified answer; a power cut changes nothing',
  async (t) => {
    const { on, words, events, asked, gateway } = await setUp(t, imageOf(2))
    const feeder = on()
    await until(
      'it runs 2',
      () => words().at(-1)?.version === 2,
      () => events,
    )
    t.strictSame(words()[0], { version: 1 })
    await until(
      'kept',
      () => events.includes('kept 2'),
      () => events,
    )
    t.strictSame(
      events.filter((event) => /fetch|switch|kept|revert/.test(event)),
      ['fetching 0', 'switching 2', 'kept 2'],
    )
    t.equal(asked.length, 1)
    t.match(gateway.heard.findLast(({ uplink }) => uplink.state?.['fw'] !== undefined)?.uplink.state, {
      fw: 2,
    })
    feeder.stop()
    const before = gateway.heard.length
    on()
    await until(
      'two more check-ins',
      () => gateway.heard.length > before + 1,
      () => events,
    )
    t.strictSame(words().at(-1), { version: 2 })
    t.equal(gateway.refused, 0, 'its sequence goes on')
  },
)

t.test('an image with another digest never boots, and is told of', async (t) => {
  const { on, words, events, wants } = await setUp(t, imageOf(2))
  wants.release = { ...wants.release!, sha256: '00'.repeat(32) }
  on()
  await until('it tells of its problem', () => words().at(-1)?.problem === 'digest', words)
  t.strictSame(words().at(-1), { version: 1, tried: 2, problem: 'digest' })
  t.notOk(events.includes('switching 2'))
})

t.test(
  'a download that breaks off goes on where it was; a host without ranges will do as well',
  async (t) => {
    const image = Buffer.concat([imageOf(2), Buffer.of(0, 131, 128, 4, 1, 120), Buffer.alloc(65_537, 1)])
    let times = 0
    const { on, words, asked } = await setUp(t, image, (_, response) => {
      if (++times > 2) return void response.end(image)
      response.writeHead(200, { 'content-length': image.length })
      response.write(image.subarray(0, 70_000), () => setTimeout(() => response.destroy(), 100))
    })
    on()
    await until('it runs 2', () => words().at(-1)?.version === 2, words)
    t.equal(asked[1], 'bytes=65536-')
    t.notOk(
      words().some(({ problem }) => problem === 'digest'),
      'what was sent twice is written once',
    )
  },
)

t.test('a firmware that does not come up: the boot loader brings the old one, which says so', async (t) => {
  const { on, words, events } = await setUp(t, Buffer.from('this is no firmware'))
  on()
  await until(
    'it is back after two starts',
    () =>
      words().at(-1)?.problem === 'rolled_back' && events.filter((one) => one === 'switching 2').length === 2,
    () => events,
  )
  const before = events.length
  await until(
    'it goes on',
    () => events.length > before + 3,
    () => events,
  )
  t.strictSame(words().at(-1), { version: 1, tried: 2, problem: 'rolled_back' })
  t.equal(events.filter((one) => one === 'fetching 0').length, 1, 'fetched once')
})

t.test('a firmware that gets no answer goes after its trial', async (t) => {
  const { on, words, events, gateway, path } = await setUp(t, imageOf(2), undefined, HASTY)
  const watch = setInterval(() => {
    if (events.includes('switching 2')) gateway.manner = 'is silent'
  }, 1)
  t.teardown(() => clearInterval(watch))
  on()
  await until(
    'reverted',
    () => events.includes('reverted 2'),
    () => events,
  )
  clearInterval(watch)
  gateway.manner = 'answers'
  await until('it tells of its problem', () => words().at(-1)?.problem === 'rolled_back', words)
  t.notOk(events.includes('kept 2'))
  t.ok(existsSync(`${path}.slot1`))
})
