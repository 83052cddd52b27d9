import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openTwinFile } from '../../gateway/src/twin-file.ts'

t.test('openTwinFile() gives back the newest value, over restarts, whatever its length', async (t) => {
  const path = join(t.testdir(), 'value')
  t.equal(openTwinFile(path, 64).read(), 'missing')
  let file = openTwinFile(path, 64)
  for (let i = 0; i < 40; i++) {
    const value = Buffer.alloc((i * 37) % 200, i)
    file.write(value)
    t.strictSame(file.read(), value)
    if (i % 3 === 0) file = openTwinFile(path, 64)
    t.strictSame(openTwinFile(path, 64).read(), value)
  }
  for (const i of [0, 1]) t.equal(readFileSync(`${path}.${i}`).length % 64, 0)
})

t.test(
  'openTwinFile() falls back to the value before when a write was torn, and goes on from there',
  async (t) => {
    const path = join(t.testdir(), 'value')
    for (let torn = 1; torn < 60; torn++) {
      const file = openTwinFile(path, 64)
      file.write(Buffer.from(`before ${torn}`))
      const other = 1 - written(path)
      const old = readFileSync(`${path}.${other}`)
      file.write(Buffer.from(`after ${torn}, and longer`))
      // As far as the write has come, the rest as it was.
      const now = readFileSync(`${path}.${other}`)
      writeFileSync(`${path}.${other}`, Buffer.concat([now.subarray(0, torn), old.subarray(torn)]))
      const read = openTwinFile(path, 64).read().toString()
      t.ok(read === `before ${torn}` || read === `after ${torn}, and longer`, read)
    }
    truncateSync(`${path}.0`, 5)
    t.not(openTwinFile(path, 64).read(), 'damaged')
    truncateSync(`${path}.1`, 5)
    t.equal(openTwinFile(path, 64).read(), 'damaged')
  },
)

/** Which of the two files has the higher serial number. */
function written(path: string): number {
  const [one, other] = [0, 1].map((i) => readFileSync(`${path}.${i}`).readBigUInt64BE())
  return one! > other! ? 0 : 1
}
