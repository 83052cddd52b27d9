import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { missing, onPath } from '../fakes/needs.ts'
import type { Told } from './network/devices.ts'

t.setTimeout(180_000)

const WORLD = new URL('./network/world.ts', import.meta.url).pathname
const prefix = `pesebre-${process.pid}-`
const ip = (...args: string[]): void => void execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] })

const skip = missing('ip (iproute2) and the right to make network namespaces', () => {
  onPath('ip')
  ip('netns', 'add', `${prefix}probe`)
  ip('netns', 'del', `${prefix}probe`)
})

// D1, D4, D6, D7 over a real network: three wires in the middle, which are cut, and a NAT before the devices that loses, delays,
// doubles and reorders datagrams and forgets where they came from. Nothing of it leaves the namespaces.
t.test(
  'two gateways, one cut off, then the other, one killed: every report and every command arrives once',
  { skip, timeout: 170_000 },
  async (t) => {
    const home = mkdtempSync(join(tmpdir(), 'pesebre-network-'))
    t.teardown(() => rmSync(home, { recursive: true, force: true }))
    makeNetwork(t)
    const world = spawn('ip', ['netns', 'exec', `${prefix}m`, process.execPath, WORLD, home, prefix], {
      stdio: 'inherit',
    })
    t.teardown(() => world.kill('SIGTERM'))
    const timer = setTimeout(() => world.kill('SIGTERM'), 150_000)
    const [code] = await once(world, 'exit')
    clearTimeout(timer)
    t.equal(
      code,
      0,
      'everything that was answered came out in its shadow, everything that was ordered was heard of',
    )
    if (code !== 0) {
      for (const file of readdirSync(home).filter((name) => name.endsWith('.log')))
        t.comment(`${file}:\n${readFileSync(join(home, file), 'utf8').slice(-1500)}`)
      return
    }
    const { told, outcomes, lowered, commands } = JSON.parse(
      readFileSync(join(home, 'result.json'), 'utf8'),
    ) as {
      told: Told[]
      outcomes: Record<string, number[]>
      lowered: number
      commands: number
    }
    const all = Array.from({ length: commands }, (_, index) => index + 1)
    t.equal(lowered, 0, 'D4: no shadow went back')
    for (const { thing, answers, performed, refused, by } of told) {
      t.comment(`${thing}: ${answers} answers, ${JSON.stringify(by)}`)
      t.ok(by['a']! > 0 && by['b']! > 0, `${thing} was served by both`)
      t.strictSame(performed, Object.fromEntries(all.map((n) => [n, 1])), 'D6: each command ran once')
      t.strictSame(
        outcomes[thing]?.toSorted((x, y) => x - y),
        all,
        'D6: and its end is known',
      )
      t.strictSame(refused, [], 'D7: nothing fresh was refused')
    }
  },
)

/** Namespaces m (middle), a, b (gateways) and d (devices), each wired to the middle. */
function makeNetwork(t: { teardown(run: () => void): void }): void {
  for (const name of ['m', 'a', 'b', 'd']) {
    ip('netns', 'add', prefix + name)
    t.teardown(() => ip('netns', 'del', prefix + name))
    ip('-n', prefix + name, 'link', 'set', 'lo', 'up')
  }
  const middle = `${prefix}m`
  // Where gateways find what stands in for AWS, whichever wire leads there.
  ip('-n', middle, 'address', 'add', '10.83.0.1/32', 'dev', 'lo')
  for (const [index, name] of ['a', 'b', 'd'].entries()) {
    const net = `10.83.${index + 1}`
    ip(
      'link',
      'add',
      `to-${name}`,
      'netns',
      middle,
      'type',
      'veth',
      'peer',
      'name',
      'wire',
      'netns',
      prefix + name,
    )
    ip('-n', middle, 'address', 'add', `${net}.1/24`, 'dev', `to-${name}`)
    ip('-n', middle, 'link', 'set', `to-${name}`, 'up')
    ip('-n', prefix + name, 'address', 'add', `${net}.2/24`, 'dev', 'wire')
    ip('-n', prefix + name, 'link', 'set', 'wire', 'up')
    ip('-n', prefix + name, 'route', 'add', 'default', 'via', `${net}.1`)
  }
  execFileSync('ip', ['netns', 'exec', middle, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward'])
}
