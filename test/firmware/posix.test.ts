/** The firmware as a native process with PSA cryptography, against the gateway's own side of the protocol. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { missing, onPath } from '../fakes/needs.ts'
import { KID, SECRET, startLoneGateway } from '../local/demo/lone-gateway.ts'

t.setTimeout(120_000)

const FIRMWARE = new URL('../../firmware/', import.meta.url).pathname
const skip = missing('gcc and mbedTLS', () => {
  onPath('gcc')
  accessSync('/usr/include/psa/crypto.h')
})

t.test(
  'a native feeder feeds what it is told, once, and goes on with its numbers after a power cut',
  { skip },
  async (t) => {
    const dir = t.testdir()
    const binary = join(dir, 'feeder')
    const sources = execFileSync('sh', ['-c', 'ls core/*.c'], { cwd: FIRMWARE })
      .toString()
      .split('\n')
      .filter(Boolean)
    const flags = [
      '-std=gnu11',
      '-O1',
      '-Wall',
      '-Wextra',
      '-Werror',
      '-fsanitize=address,undefined',
      '-o',
      binary,
    ]
    const files = [...sources, 'port/posix/feeder.c', 'port/psa/crypto.c', '-lmbedcrypto']
    execFileSync('gcc', [...flags, ...files], { cwd: FIRMWARE })
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
    const until = async (isTrue: () => boolean) => {
      while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 20))
    }

    const first = start()
    await until(() => states().includes('done'))
    t.strictSame([...new Set(states())], ['accepted', 'dispensing', 'done'])
    first.kill('SIGKILL')
    await once(first, 'exit')
    const before = gateway.heard.length
    start()
    await until(() => gateway.heard.length > before)
    const numbers = gateway.heard.map(({ partialIv }) => partialIv)
    t.ok(numbers.at(-1)! > numbers[before - 1]!, 'its numbers go on')
    t.equal(states().filter((state) => state === 'dispensing').length, 1, 'and nothing runs again')
  },
)
