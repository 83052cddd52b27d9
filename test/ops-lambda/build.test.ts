import { readFileSync } from 'node:fs'
import t from 'tap'
import { buildOps } from '../../ops-lambda/build.ts'

t.test('buildOps() makes one zip with the three functions, the same bytes each time', async (t) => {
  const one = t.testdir({ a: {}, b: {} })
  await buildOps(`${one}/a`)
  await buildOps(`${one}/b`)
  const zip = readFileSync(`${one}/a/ops.zip`)
  t.ok(zip.equals(readFileSync(`${one}/b/ops.zip`)))
  for (const name of ['setup.cjs', 'probe.cjs', 'forwarder.cjs']) t.ok(zip.includes(name), name)
  t.ok(zip.length < 200_000)
})
