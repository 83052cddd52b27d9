import { spawnSync } from 'node:child_process'
import { closeSync, fdatasyncSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { spread } from './figures.ts'
import { BUILD } from './processes.ts'
import { libcoapProgram, memoryFileSystem } from './servers.ts'

/** What the figures depend on, one fact a line. */
export function machineFacts(): string[] {
  const sync = fdatasyncMicroseconds()
  const facts = [
    `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}`,
    `Node ${process.versions.node}; npm coap ${version('coap')}; ${libcoapVersion()}`,
    `fdatasync of 4 kB where the journals lie: ${sync.min} / ${sync.median} / ${sync.max} µs (min / median / max)`,
    `A program that only sleeps, 1 ms at a time, is more than 4 ms late for ${stalledPercent().toFixed(1)} % of the time: so much of any p99 is this machine's own`,
  ]
  const memory = memoryFileSystem()
  if (memory)
    facts.push(`**The journals lay on ${memory}, not on a disk: these figures are not those of a journal.**`)
  return facts
}

function fdatasyncMicroseconds() {
  mkdirSync(BUILD, { recursive: true })
  const path = `${BUILD}fdatasync-probe`
  const file = openSync(path, 'w')
  const block = Buffer.alloc(4096, 1)
  const times: number[] = []
  for (let i = 0; i < 100; i++) {
    writeSync(file, block)
    const start = performance.now()
    fdatasyncSync(file)
    times.push(Math.round((performance.now() - start) * 1000))
  }
  closeSync(file)
  rmSync(path)
  return spread(times)
}

const WATCHED_MS = 5_000
const LATE_MS = 4

/** Share of time, percent, in which nothing of ours can run: a virtual machine is stopped by its host now and then. */
function stalledPercent(): number {
  const never = new Int32Array(new SharedArrayBuffer(4))
  const begin = performance.now()
  let stalled = 0
  for (let last = begin; last - begin < WATCHED_MS; ) {
    Atomics.wait(never, 0, 0, 1)
    const now = performance.now()
    const late = now - last - 1
    if (late > LATE_MS) stalled += late
    last = now
  }
  return (100 * stalled) / WATCHED_MS
}

function version(name: string): string {
  const file = new URL(`../node_modules/${name}/package.json`, import.meta.url)
  return JSON.parse(readFileSync(file, 'utf8')).version
}

function libcoapVersion(): string {
  if (!libcoapProgram) return 'libcoap not installed'
  // It has no option for this; its usage begins with "coap-server v4.3.1 -- a small CoAP implementation".
  const usage = spawnSync(libcoapProgram, ['-?'], { encoding: 'utf8' })
  return `libcoap ${/ v(\d\S*)/.exec(usage.stdout + usage.stderr)?.[1] ?? '(version unknown)'}`
}
