import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { ReplayWindow } from '@pesebre/coap/oscore/replay-window'
import fc from 'fast-check'
import t from 'tap'
import { openSnapshots } from '../../../gateway/src/security/snapshot.ts'
import { createWindowsMemory, openWindows, type Windows } from '../../../gateway/src/security/windows.ts'

const DEVICE = { kind: 1, number: 0xfffffffe }

function windowsFor(devices: number): Windows {
  return openWindows(createWindowsMemory(devices, randomBytes(32)))
}

t.test(
  'commit() agrees with the window of the library, for every order of new, late and repeated numbers',
  async (t) => {
    const near = fc.integer({ min: -80, max: 80 })
    const far = fc.constantFrom(0, 2 ** 32 - 1, 2 ** 32, 2 ** 40 - 1)
    fc.assert(
      fc.property(fc.nat(2 ** 39), fc.array(fc.oneof({ weight: 9, arbitrary: near }, far)), (base, moves) => {
        const windows = windowsFor(10)
        const mine = windows.of(DEVICE)
        const reference = new ReplayWindow()
        for (const move of moves) {
          const number = Math.max(0, Math.abs(move) <= 80 ? base + move : move)
          if (mine.commit(number, undefined) !== reference.commit(number)) return false
        }
        return true
      }),
      { numRuns: 2000 },
    )
    t.equal(
      windowsFor(1)
        .of(DEVICE)
        .commit(2 ** 40, undefined),
      'replayed',
      'no such number',
    )
  },
)

t.test('windows of many devices do not touch one another, and nobody without room is taken', async (t) => {
  const windows = windowsFor(1000)
  const room = Math.floor(2 ** Math.ceil(Math.log2(1000 / 0.75)) * 0.75)
  let wrong = 0
  for (let i = 0; i < room; i++) {
    const device = { kind: 1 + (i % 3), number: Math.imul(i, 0x9e3779b1) >>> 0 }
    if (windows.of(device).commit(i, undefined) !== 'fresh') wrong++
  }
  for (let i = 0; i < room; i++) {
    const window = windows.of({ kind: 1 + (i % 3), number: Math.imul(i, 0x9e3779b1) >>> 0 })
    if (window.commit(i, undefined) !== 'replayed' || window.commit(i + 1, undefined) !== 'fresh') wrong++
  }
  t.equal(wrong, 0)
  t.equal(windows.count(), room)
  t.equal(windows.of({ kind: 15, number: 1 }).commit(5, undefined), 'replayed')
  t.equal(windows.refusedFull(), 1)
})

t.test('two threads that take the same numbers at the same time take each of them once', async (t) => {
  const memory = createWindowsMemory(5000, randomBytes(32))
  const gate = new SharedArrayBuffer(4)
  const source = new URL('./windows-thread.ts', import.meta.url)
  const threads = [0, 1].map(
    () => new Worker(source, { workerData: { memory, gate, devices: 2000, numbers: 40 } }),
  )
  const taken = await Promise.all(threads.map(async (thread) => (await once(thread, 'message'))[0] as number))
  t.equal(taken[0]! + taken[1]!, 2000 * 40, `${taken.join(' and ')}`)
  t.equal(openWindows(memory).count(), 2000)
})

t.test('a snapshot brings back every window; a damaged one says so', async (t) => {
  const dir = t.testdir()
  const windows = windowsFor(500)
  for (let i = 0; i < 300; i++)
    for (const number of [i, i + 3, i + 60, 2 ** 33 + i])
      windows.of({ kind: 1, number: i * 7919 }).commit(number, undefined)
  t.equal(openSnapshots(dir).read(), 'missing')
  openSnapshots(dir).write(windowsFor(500), { 0: 4711 })
  openSnapshots(dir).write(windows, { 0: 4811, 1: 8 })
  const snapshot = openSnapshots(dir).read()
  if (typeof snapshot === 'string') return t.fail(snapshot)
  t.strictSame(snapshot.positions, { 0: 4811, 1: 8 })
  const restored = windowsFor(500)
  for (const state of snapshot.states) restored.restore(state)
  const byNumber = (a: { number: number }, b: { number: number }) => a.number - b.number
  t.strictSame([...restored.states()].sort(byNumber), [...windows.states()].sort(byNumber))

  const bytes = readFileSync(join(dir, 'windows.0'))
  for (const damaged of [bytes.subarray(0, 100), bytes.subarray(1), Buffer.alloc(0), flipped(bytes)]) {
    writeFileSync(join(dir, 'windows.0'), damaged)
    const older = openSnapshots(dir).read()
    t.match(older, { positions: { 0: 4711 } }, 'the one before is still there')
  }
  writeFileSync(join(dir, 'windows.1'), flipped(readFileSync(join(dir, 'windows.1'))))
  t.equal(openSnapshots(dir).read(), 'damaged')
})

function flipped(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  copy[20]! ^= 4
  return copy
}

t.test('after a loss a device proves itself by Echo, once; nothing from before is taken', async (t) => {
  const windows = windowsFor(10)
  windows.beginRecovery()
  const window = windows.of(DEVICE)
  t.equal(window.commit(100, undefined), 'unproven')
  t.equal(window.commit(101, randomBytes(8)), 'unproven')
  t.equal(windows.count(), 0, 'what proves nothing takes no room')
  t.equal(window.commit(102, window.echo), 'fresh')
  for (const old of [100, 101, 102, 60]) t.equal(window.commit(old, window.echo), 'replayed')
  t.equal(window.commit(103, undefined), 'fresh')
  t.notSame(windows.of({ kind: 1, number: 2 }).echo, window.echo, 'each device has a value of its own')
})
