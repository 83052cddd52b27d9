import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { GetThingShadowCommand, UpdateThingShadowCommand } from '@aws-sdk/client-iot-data-plane'
import { type ControlReported, readControl } from '@pesebre/contract/control'
import t from 'tap'
import { firmwareText, isInShare, releaseOf } from '../../cli/src/firmware.ts'
import { startLocalIot, temporaryDir } from '../local/iot/support.ts'
import { run as runLine } from './fixtures/run.ts'

const IMAGE = Buffer.from('an image')
const SHA256 = createHash('sha256').update(IMAGE).digest('hex')

/** The local AWS IoT with feeders, a host that serves an image, and the command line. */
async function setUp(t: { teardown(handler: () => Promise<void> | void): void }, count: number) {
  const home = await temporaryDir(t)
  const iot = await startLocalIot(t)
  const served = { image: IMAGE }
  const host = createServer((_, response) => void response.end(served.image))
  await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve))
  t.teardown(() => void host.close())
  writeFileSync(join(home, 'fleet-keys.json'), `{"1":"${'00'.repeat(32)}"}`, { mode: 0o600 })
  writeFileSync(join(home, 'image'), IMAGE)
  const env = { PESEBRE_IOT_PORT: `${iot.restPort}`, PESEBRE_HOME: home }
  const run = (...line: string[]) => runLine(line, { env })
  const things: string[] = []
  for (let number = 1; number <= count; number++) {
    const { out } = await run('register', 'feeder', '--number', `${number}`, '--json')
    things.push(JSON.parse(out).thing)
  }
  const shadow = (thingName: string) => ({ thingName, shadowName: 'control' })
  const release = (url = `http://127.0.0.1:${(host.address() as AddressInfo).port}/8`) =>
    ['--image', join(home, 'image'), '--version', '8', '--url', url] as const
  return {
    things: things as [string, ...string[]],
    run,
    release,
    served,
    control: async (thing: string) => {
      const { payload } = await iot.data.send(new GetThingShadowCommand(shadow(thing)))
      return readControl(JSON.parse(Buffer.from(payload ?? []).toString()).state)
    },
    report: (thing: string, reported: ControlReported) =>
      iot.data.send(
        new UpdateThingShadowCommand({
          ...shadow(thing),
          payload: Buffer.from(JSON.stringify({ state: { reported } })),
        }),
      ),
  }
}

t.test('firmware roll-out, show, withdraw: what is wanted, what runs, and why not', async (t) => {
  const { things, run, release, control, report } = await setUp(t, 2)
  const [one, two] = things as [string, string]
  const told = await run('firmware', 'roll-out', one, ...release())
  t.match(told, { code: 0, out: `Firmware 8, 8 bytes, SHA-256 ${SHA256}\ntold to 1; see` }, told.err)
  const { desired } = await control(one)
  t.match(desired, { enabled: true, firmware: { version: 8, size: 8, sha256: SHA256 } })
  t.equal((await control(two)).desired.firmware, undefined)
  await report(one, { firmware: { version: 7 } })
  t.match((await run('firmware', 'show')).out, `${one}  firmware 8 pending: the device runs 7`)
  t.match((await run('commands', one)).out, '  firmware 8 pending: the device runs 7')
  await report(one, { firmware: { version: 7, tried: 8, problem: 'rolled_back' } })
  const shown = await run('firmware', 'show', one, '--json')
  const failed = { thing: one, runs: 7, wanted: 8, state: 'failed', problem: 'rolled_back' }
  t.strictSame(JSON.parse(shown.out), [failed])
  t.match(await run('firmware', 'withdraw', '--all'), { code: 0, out: 'Withdrawn from 1 of 2' })
  t.equal((await control(one)).desired.firmware, undefined)
  t.ok((await control(one)).desired.enabled, 'all else stays')
})

t.test('firmware roll-out refuses what no feeder could take', async (t) => {
  const { things, run, release, served, control } = await setUp(t, 1)
  const [one] = things
  const cases: [string[], number, RegExp][] = [
    [[...release()], 2, /^Missing: <thing> or --percent;/],
    [[one, '--percent', '10', ...release()], 2, /^Only one of <thing> and --percent can be given/],
    [['--percent', '0', ...release()], 2, /^--percent must be a whole number from 1 to 100: "0"/],
    [[one, ...release('ftp://host/8')], 2, /^No device can follow this: \/url/],
    [[one, ...release(), '--version', '0'], 2, /^--version must be a whole number from 1/],
    [[one, ...release('http://127.0.0.1:1/8')], 1, /^Cannot fetch the image where devices would/],
    [['feeder-000000aa', ...release()], 1, /^Not registered in the local stack/],
  ]
  for (const [line, code, err] of cases) t.match(await run('firmware', 'roll-out', ...line), { code, err })
  served.image = Buffer.from('an imagE')
  t.match(await run('firmware', 'roll-out', one, ...release()), {
    code: 1,
    err: /^What is served there is not the image/,
  })
  t.equal((await control(one)).desired.firmware, undefined)
  t.equal((await run('firmware', 'roll-out', one, ...release(), '--unchecked')).code, 0)
})

t.test('firmware roll-out --percent: a share that grows and never changes', async (t) => {
  const { things, run, release } = await setUp(t, 12)
  const told = async (percent: string): Promise<string[]> =>
    JSON.parse((await run('firmware', 'roll-out', '--percent', percent, ...release(), '--json')).out).told
  const [some, all] = [await told('50'), await told('100')]
  t.strictSame(
    some,
    things.filter((thing) => isInShare(thing, 8, 50)),
  )
  t.strictSame(all, things)

  const fleet = Array.from({ length: 10_000 }, (_, n) => `feeder-${n.toString(16).padStart(8, '0')}`)
  const share = (version: number, percent: number) =>
    fleet.filter((thing) => isInShare(thing, version, percent))
  const [tenth, half] = [share(8, 10), new Set(share(8, 50))]
  t.ok(tenth.length > 850 && tenth.length < 1150, `${tenth.length} of 10,000`)
  t.ok(tenth.every((thing) => half.has(thing)))
  const both = share(9, 10).filter((thing) => tenth.includes(thing))
  t.ok(both.length < 200, 'another version begins with others')
})

t.test('releaseOf() reads the version that an image of ESP-IDF has', async (t) => {
  const image = Buffer.alloc(300)
  image[0] = 0xe9
  image.writeUInt32LE(0xabcd5432, 32)
  image.write('12', 48)
  const file = join(t.testdir({ image }), 'image')
  t.match(await releaseOf(file, 12, 'http://h/'), { version: 12, size: 300 })
  await t.rejects(releaseOf(file, 13, 'http://h/'), {
    message: /says that it is another version .*: 12, not 13/,
  })
  await t.rejects(releaseOf(`${file}s`, 13, 'http://h/'), { message: /^Cannot read the image/ })
})

t.test('firmwareText() has a sentence for a problem that it does not know', async (t) => {
  const standing = { thing: 'x', runs: 7, wanted: 8, state: 'failed', problem: 'p9' } as const
  t.equal(
    firmwareText(standing, (_, text) => text),
    'firmware 8 failed: p9; the device runs 7',
  )
})
