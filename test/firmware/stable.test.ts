/**
 * A stable of simulated feeders (firmware/sim) against real gateways, the bridge and AWS IoT's stand-in, with loss, repeats, late
 * datagrams, jams, power cuts and gateways that are away for hours. PESEBRE_FEEDERS and PESEBRE_FEEDER_HOURS: how many, and for how long
 * of their own time; PESEBRE_FEEDER_GATEWAYS: 1, or both.
 */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { isFinal, type OutcomeState } from '@pesebre/contract/check-in'
import { readControl } from '@pesebre/contract/control'
import { kidOf, thingName } from '@pesebre/contract/kid'
import { FLEET_KEYS_FILE } from '@pesebre/contract/local-stack'
import t from 'tap'
import { masterSecret } from '../../local/src/demo/registration.ts'
import { startStack } from '../../local/src/supervisor/stack.ts'
import { missing, onPath } from '../fakes/needs.ts'

const FEEDERS = Number(process.env['PESEBRE_FEEDERS'] ?? 40)
const HOURS = Number(process.env['PESEBRE_FEEDER_HOURS'] ?? 6)
const GATEWAYS = Number(process.env['PESEBRE_FEEDER_GATEWAYS'] ?? 2)
const SIM_MAX_MS = 900_000
/** The bridge is as fast as its machine. */
const SETTLE_MAX_MS = 120_000 + 30 * FEEDERS
const AT_ONCE = 32
t.setTimeout(SIM_MAX_MS + SETTLE_MAX_MS + 60_000)

const FIRMWARE = new URL('../../firmware/', import.meta.url).pathname

type Told = {
  kid: string
  /** The last of its numbers that was answered and had something new. */
  sequence: number
  runs: { n?: number; occurrence?: number; grams: number }[]
  broken?: string
}
type Summary = {
  feeders: number
  answered: number
  runs: number
  powerCuts: number
  broken: number
  lost: number
}

function compile(binary: string): void {
  const files = execFileSync('sh', ['-c', 'ls sim/*.c core/*.c'], { cwd: FIRMWARE })
    .toString()
    .split('\n')
    .filter(Boolean)
  // mbedTLS is many times as fast as plain C.
  const crypto = existsSync('/usr/include/psa/crypto.h')
    ? ['-DTEST_CRYPTO=crypto_psa', 'port/psa/crypto.c', '-lmbedcrypto']
    : ['port/soft/crypto.c']
  const others = ['test/world.c', 'test/server.c', ...crypto]
  const flags = ['-std=gnu11', '-O2', '-w', '-Itest', '-o', binary]
  execFileSync('gcc', [...flags, ...files, ...others], { cwd: FIRMWARE })
}

/** A schedule with a meal each second hour, whatever the time of day is. */
const SCHEDULE = Array.from({ length: 12 }, (_, index) => [index * 120 + 7, 300, 127])

t.test(
  'every answered report ends in a shadow, every command ran once or is known not to have run, every meal is told of',
  { skip: missing('gcc', () => onPath('gcc')), timeout: SIM_MAX_MS + SETTLE_MAX_MS },
  async (t) => {
    const home = t.testdir()
    const binary = join(home, 'feeder-sim')
    compile(binary)
    const stack = await startStack({
      home,
      ports: 'free',
      gateways: GATEWAYS,
      demo: false,
      web: false,
      logLevel: 'warn',
      env: {
        ...process.env,
        // Their time runs faster than the gateway's, and they are all at one address.
        PESEBRE_DEVICE_RATE: '100000',
        PESEBRE_DEVICE_BURST: '100000',
        PESEBRE_ADDRESS_RATE: '1000000',
        PESEBRE_ADDRESS_BURST: '1000000',
        // AWS's quota, raised: all come for the first time at once.
        PESEBRE_THINGS_PER_SECOND: '10000',
        // One invocation at a time, with as much as AWS hands over in one: several reports of a feeder become one write.
        PESEBRE_LAMBDA_POLLERS: '1',
        PESEBRE_LAMBDA_BATCH: '100',
      },
    })
    t.teardown(() => stack.stop())
    const iot = `http://127.0.0.1:${stack.ports.iot}`
    const fleetKey = Buffer.from(JSON.parse(readFileSync(join(home, FLEET_KEYS_FILE), 'utf8'))[1], 'hex')
    const feeders = Array.from({ length: FEEDERS }, (_, index) => {
      const number = 0x5000_0000 + index
      const kid = kidOf({ kind: 'feeder', version: 1, number })
      return {
        thing: thingName('feeder', number),
        kid: Buffer.from(kid).toString('hex'),
        secret: masterSecret(fleetKey, kid),
      }
    })
    const shadowOf = async (thing: string, name = ''): Promise<Shadow> => {
      const answer = await fetch(`${iot}/things/${thing}/shadow${name && `?name=${name}`}`)
      return answer.ok ? ((await answer.json()) as Shadow) : { version: 0, state: {} }
    }
    await eachOf(feeders, async ({ thing }) => {
      const at = Math.floor(Date.now() / 1000)
      const queue = [1, 2].map((n) => ({ n, kind: 'feed', grams: 250, notAfter: at + 7200, by: 'test', at }))
      const config = { version: 1, interval_s: 300, zone: 'Europe/Madrid', schedule: SCHEDULE }
      const body = JSON.stringify({ state: { desired: { enabled: true, queue, next: 3, config } } })
      const answer = await fetch(`${iot}/things/${thing}/shadow?name=control`, { method: 'POST', body })
      if (!answer.ok) throw new Error(`${answer.status} for ${thing}`)
    })
    const keys = join(home, 'keys.txt')
    writeFileSync(keys, feeders.map(({ kid, secret }) => `${kid} ${secret.toString('hex')}\n`).join(''))

    const began = performance.now()
    const both = [`a=127.0.0.1:${stack.ports.coap}`, `b=127.0.0.1:${stack.ports.coapB}`]
    const gateways = both.slice(0, GATEWAYS).join(',')
    const numbers = { devices: FEEDERS, hours: HOURS, seed: 7, loss: 20_000, dup: 20_000, reorder: 20_000 }
    const faults = { cut: 200, jam: 10_000, dead: 60_000, slots: 512 }
    const args = Object.entries({ ...numbers, ...faults }).flatMap(([name, value]) => [
      `--${name}`,
      `${value}`,
    ])
    const sim = spawn(binary, [...args, '--gateway', gateways, '--keys', keys], {
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: SIM_MAX_MS,
    })
    const lines = (await text(sim.stdout))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    const summary = lines.at(-1) as Summary
    const told = lines.slice(0, -1) as Told[]
    t.comment(`${HOURS} h of ${FEEDERS} feeders in ${since(began)} s: ${JSON.stringify(summary)}`)
    t.match(summary, { feeders: FEEDERS, broken: 0 }, 'no id ran twice, no cap was passed, all was confirmed')
    t.ok(summary.powerCuts > 0 && summary.lost > 0, 'there were faults')

    const wrong: string[] = []
    let writes = 0
    const deadline = Date.now() + SETTLE_MAX_MS
    await eachOf(told, async ({ kid, sequence, runs, broken }) => {
      const thing = `feeder-${kid.slice(2)}`
      if (broken) wrong.push(`${thing}: ${broken}`)
      for (;;) {
        const [classic, control] = [await shadowOf(thing), await shadowOf(thing, 'control')]
        const problem = mismatch(classic, control, { sequence, runs })
        if (problem === undefined) {
          writes += classic.version + control.version - 1
          return
        }
        if (Date.now() > deadline) return void wrong.push(`${thing}: ${problem}`)
        await new Promise((resolve) => setTimeout(resolve, 2000))
      }
    })
    t.comment(`all shadows right after ${since(began)} s and ${writes} writes of the bridge`)
    t.strictSame(wrong.slice(0, 10), [])
    t.ok(summary.runs > FEEDERS, 'they fed')
    await stack.stop()
  },
)

/** Seconds since a reading of performance.now(). */
function since(began: number): string {
  return ((performance.now() - began) / 1000).toFixed(1)
}

type Shadow = { version: number; state: { reported?: Record<string, unknown> & { link?: { seq: number } } } }

/** What a feeder's shadows do not say of what it did. */
function mismatch(
  classic: Shadow,
  control: Shadow,
  { sequence, runs }: Pick<Told, 'sequence' | 'runs'>,
): string | undefined {
  const seq = classic.state.reported?.link?.seq ?? -1
  if (seq < sequence) return `report ${sequence} was answered, and the shadow is at ${seq}`
  const { reported } = readControl(control.state)
  for (const n of [1, 2]) {
    const state = reported.outcomes?.items.find((item) => item.n === n)?.state
    if (state === undefined || !isFinal(state)) return `command ${n} is ${state}`
    const times = runs.filter((run) => run.n === n).length
    // The power may have gone between "dispensing" in the store and the motor: nobody can tell that from a portion begun.
    const least = state === 'interrupted' ? 0 : 1
    if (times > 1 || (hasRun(state) ? times < least : times > 0))
      return `command ${n} is ${state} and ran ${times} times`
  }
  for (const { occurrence } of runs) {
    if (occurrence === undefined) continue
    const state = reported.meals?.items[occurrence]?.state
    if (state === undefined || !hasRun(state)) return `meal ${occurrence} ran and is ${state}`
  }
  return undefined
}

function hasRun(state: OutcomeState): boolean {
  return isFinal(state) && state !== 'refused' && state !== 'expired'
}

async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items]
  const workers = Array.from({ length: AT_ONCE }, async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item)
  })
  await Promise.all(workers)
}
