/** A release of firmware, from the command line to a feeder that then runs it, through every process of the product, and back. */
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { DeviceIdentity } from '@pesebre/contract/identity'
import { PORTS, type PortName } from '@pesebre/contract/local-stack'
import t from 'tap'
import type { FirmwareStanding } from '../../cli/src/firmware.ts'
import { loadFirmware } from '../../local/src/demo/core.ts'
import { DEMO_TUNING, startFeeder } from '../../local/src/demo/feeder.ts'
import { imageOf } from '../../local/src/demo/image.ts'
import { openStore } from '../../local/src/demo/store.ts'
import { startStack } from '../../local/src/supervisor/stack.ts'
import { run } from '../cli/fixtures/run.ts'
import { until } from '../fakes/until.ts'

const timeout = 120_000
t.setTimeout(timeout)

/** Asks for another firmware every second, where a real one does so every hour. */
const TUNING = { ...DEMO_TUNING, intervalS: 1, fullAfterS: 1, updateBackOffS: 1 }

t.test(
  'a release reaches sleeping feeders: taken and kept, refused for its digest, rolled back',
  { timeout },
  async (t) => {
    const home = t.testdir()
    const stack = await startStack({ home, ports: 'free', demo: false, web: false })
    t.teardown(() => stack.stop())
    const ports = Object.entries(PORTS).map(([name, { setting }]) => [
      setting,
      `${stack.ports[name as PortName]}`,
    ])
    const env = { ...Object.fromEntries(ports), PESEBRE_HOME: home }
    const cli = async (...line: string[]) => {
      const { code, out, err } = await run(line, { env })
      t.equal(code, 0, `${line[0]} ${line[1]} ${err}`)
      return out
    }

    const files = new Map<string, Uint8Array>()
    const host = createServer(({ url = '' }, response) => response.end(files.get(url)))
    await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve))
    t.teardown(() => void host.close())
    const address = `http://127.0.0.1:${(host.address() as AddressInfo).port}`

    const firmware = loadFirmware()
    const feeders: string[] = []
    for (const number of ['10', '11', '12']) {
      const identity = JSON.parse(
        await cli('register', 'feeder', '--number', number, '--json'),
      ) as DeviceIdentity
      const path = join(home, `${identity.thing}.store`)
      const feeder = startFeeder({
        firmware,
        number: identity.number,
        kid: Buffer.from(identity.kid, 'hex'),
        secret: Buffer.from(identity.secret, 'hex'),
        gateways: identity.gateways,
        store: openStore(path),
        slots: path,
        log: () => undefined,
        tuning: TUNING,
      })
      t.teardown(() => feeder.stop())
      feeders.push(identity.thing)
    }
    const [taken, refused, crashing] = feeders as [string, string, string]
    const show = async (thing: string): Promise<FirmwareStanding> =>
      JSON.parse((await run(['firmware', 'show', thing, '--json'], { env })).out)[0]
    const shown = async (thing: string, isThere: (standing: FirmwareStanding) => boolean) => {
      let standing: FirmwareStanding | undefined
      const look = async () => {
        standing = await show(thing)
        return isThere(standing) && standing
      }
      return until(`a standing of ${thing}`, look, () => standing)
    }
    const rollOut = (thing: string, image: Uint8Array) => {
      const path = `/${thing}.bin`
      files.set(path, image)
      writeFileSync(join(home, 'image.bin'), image)
      const where = ['--image', join(home, 'image.bin'), '--url', `${address}${path}`]
      return cli('firmware', 'roll-out', thing, '--version', '2', ...where)
    }
    await Promise.all(feeders.map((thing) => shown(thing, ({ runs }) => runs === 1)))

    await rollOut(taken, imageOf(2))
    t.match(await shown(taken, ({ state }) => state === 'as wanted'), { runs: 2, wanted: 2 })
    t.match(await cli('commands', taken), 'firmware: runs 2')

    await rollOut(crashing, Buffer.from('no firmware at all'))
    t.match(await shown(crashing, ({ state }) => state === 'failed'), {
      runs: 1,
      wanted: 2,
      problem: 'rolled_back',
    })

    const image = Buffer.from(imageOf(2))
    await rollOut(refused, image)
    // Other bytes of the same length from now on: the host was broken into.
    image[image.length - 1]! ^= 1
    t.match(await shown(refused, ({ state }) => state !== 'pending'), { runs: 1, problem: 'digest' })
    t.match(await cli('firmware', 'show'), new RegExp(`${refused}  firmware 2 failed: .*another digest`))

    await cli('firmware', 'withdraw', refused)
    t.match(await show(refused), { runs: 1, state: 'as wanted' })
    await cli('feed', taken, '--grams', '30')
    const shadow = JSON.parse(await cli('shadow', taken, '--json'))
    t.match(shadow.state.reported, { fw: 2, fed_g_today: 30 }, 'and the new firmware feeds')
  },
)
