/** The firmware as a native process with PSA cryptography, against the gateway's own side of the protocol. */
import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { accessSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { missing, onPath } from '../fakes/needs.ts'
import { until, within } from '../fakes/until.ts'
import { KID, SECRET, startLoneGateway } from '../local/demo/lone-gateway.ts'

t.setTimeout(120_000)

const FIRMWARE = new URL('../../firmware/', import.meta.url).pathname
const skip = missing('gcc and mbedTLS', () => {
  onPath('gcc')
  accessSync('/usr/include/psa/crypto.h')
})

const SANITIZED = ['-O1', '-fsanitize=address,undefined']

function build(binary: string, flags: readonly string[]): void {
  const core = execFileSync('sh', ['-c', 'ls core/*.c'], { cwd: FIRMWARE })
    .toString()
    .split('\n')
    .filter(Boolean)
  const port = ['port/posix/feeder.c', 'port/posix/images.c', 'port/psa/crypto.c', 'port/psa/digest.c']
  const all = ['-std=gnu11', '-Wall', '-Wextra', '-Werror', '-o', binary, ...flags, ...core, ...port]
  execFileSync('gcc', [...all, '-lmbedcrypto'], { cwd: FIRMWARE })
}

t.test(
  'a native feeder feeds what it is told, once, and goes on with its numbers after a power cut',
  { skip },
  async (t) => {
    const dir = t.testdir()
    const binary = join(dir, 'feeder')
    build(binary, SANITIZED)
    let named = 0
    const gateway = await startLoneGateway(t, 'a', ({ outcomes = [], clock }) => {
      const acked = Math.max(0, ...outcomes.map(({ n = 0 }) => n))
      named = Math.max(named, acked)
      return {
        ...(clock === 0 && { time: 1_800_000_000 }),
        ...(named === 0 && { commands: [{ n: 1, kind: 'feed', grams: 40, ttl_s: 600 }] }),
        ...(acked > 0 && { acked_upto: acked }),
      }
    })
    const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
    const start = () => {
      const args = [join(dir, 'store'), hex(KID), hex(SECRET), `a=127.0.0.1:${gateway.port}`]
      const child = spawn(binary, args, { stdio: ['ignore', 'ignore', 'inherit'] })
      t.teardown(() => child.kill('SIGKILL'))
      return child
    }
    const states = () =>
      gateway.heard.flatMap(({ uplink }) => uplink.outcomes ?? []).map(({ state }) => state)

    const first = start()
    await until('done', () => states().includes('done'), states)
    t.strictSame([...new Set(states())], ['accepted', 'dispensing', 'done'])
    first.kill('SIGKILL')
    await within('an end', once(first, 'exit'), states)
    const before = gateway.heard.length
    start()
    await until(
      'a check-in',
      () => gateway.heard.length > before,
      () => gateway.heard,
    )
    const numbers = gateway.heard.map(({ partialIv }) => partialIv)
    t.ok(numbers.at(-1)! > numbers[before - 1]!, 'its numbers go on')
    t.equal(states().filter((state) => state === 'dispensing').length, 1, 'and nothing runs again')
  },
)

t.test(
  'a native feeder becomes the program that it is told of, and goes back from one that does not run',
  { skip },
  async (t) => {
    const dir = t.testdir()
    const [first, second] = [join(dir, 'feeder'), join(dir, 'feeder-2')]
    build(first, SANITIZED)
    build(second, ['-O1', '-DFIRMWARE_VERSION=2'])
    let image: Uint8Array = readFileSync(second)
    const host = createServer(({ headers }, response) => {
      const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0)
      response.writeHead(206).end(image.subarray(from))
    })
    await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve))
    t.teardown(() => void host.close())
    const url = `http://127.0.0.1:${(host.address() as AddressInfo).port}/feeder`
    let version = 2
    const gateway = await startLoneGateway(t, 'a', ({ clock, firmware }) => ({
      ...(clock === 0 && { time: 1_800_000_000 }),
      ...(firmware &&
        firmware.version !== version && {
          firmware: {
            version,
            size: image.length,
            sha256: createHash('sha256').update(image).digest('hex'),
            url,
          },
        }),
    }))
    const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
    const args = [join(dir, 'store'), hex(KID), hex(SECRET), `a=127.0.0.1:${gateway.port}`]
    const start = () => {
      const child = spawn(first, args, { stdio: ['ignore', 'ignore', 'inherit'] })
      t.teardown(() => child.kill('SIGKILL'))
      return child
    }
    const words = () => gateway.heard.flatMap(({ uplink }) => (uplink.firmware ? [uplink.firmware] : []))
    const boot = () => readFileSync(join(dir, 'store', 'boot'), 'latin1')

    const child = start()
    await until('it runs 2', () => words().at(-1)?.version === 2, words)
    t.strictSame(words(), [{ version: 1 }, { version: 2 }])
    await until('it stays', () => boot() === '1-', boot)
    child.kill('SIGKILL')
    await within('an end', once(child, 'exit'), boot)

    version = 3
    image = Buffer.from('#!/bin/sh\nexit 7\n')
    const [code] = await within('an end', once(start(), 'exit'), words)
    t.equal(code, 7, 'the new one ends at once')
    t.equal(boot(), '0r')
    const before = words().length
    version = 2
    start()
    await until('a word of its firmware', () => words().length > before, words)
    t.strictSame(words().at(-1), { version: 2, tried: 3, problem: 'rolled_back' })
    t.equal(boot(), '1-')
  },
)
