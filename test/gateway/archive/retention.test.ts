import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createRetention, type RetentionSettings } from '../../../gateway/src/archive/retention.ts'
import { segmentBases, segmentPath } from '../../../gateway/src/journal/segments.ts'

/** Segments of 100 bytes that begin at 0, 100, 200, 300 and 400. */
function setUp(t: Test, over: Partial<RetentionSettings> = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'pesebre-retention-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  for (const base of [0, 100, 200, 300, 400]) writeFileSync(segmentPath(dir, base), '')
  const world = { archived: 0, free: 1e9 }
  const retention = createRetention({
    dir,
    archived: () => world.archived,
    maxBytes: 10_000,
    reserveBytes: 1000,
    freeBytes: () => world.free,
    ...over,
  })
  return { dir, world, retention, bases: () => segmentBases(dir) }
}

t.test('segments go when both SQS and the archive have them', async (t) => {
  const { world, retention, bases } = setUp(t)
  retention.clean(350)
  t.same(bases(), [0, 100, 200, 300, 400], 'SQS alone is not enough')
  world.archived = 220
  retention.clean(350)
  t.same(bases(), [200, 300, 400])
  world.archived = 500
  retention.clean(350)
  t.same(bases(), [300, 400], 'nor is the archive')
})

t.test('without an archive they go when SQS has them', async (t) => {
  const { retention, bases } = setUp(t, { archived: () => Number.POSITIVE_INFINITY })
  retention.clean(350)
  t.same(bases(), [300, 400])
})

t.test('beyond the bound the oldest go that SQS has', async (t) => {
  const { retention, bases } = setUp(t, { maxBytes: 150 })
  retention.clean(349)
  t.same(bases(), [100, 200, 300, 400])
  retention.clean(350)
  t.same(bases(), [200, 300, 400])
})

t.test('on a disk that is nearly full they go one by one, but never what SQS has not', async (t) => {
  const { world, retention, bases } = setUp(t)
  world.free = 999
  retention.clean(250)
  t.same(bases(), [100, 200, 300, 400])
  retention.clean(250)
  t.same(bases(), [200, 300, 400])
  retention.clean(250)
  t.same(bases(), [200, 300, 400])
})

t.test('what must outlive a segment is stored before it goes, or it stays', async (t) => {
  const { retention, bases } = setUp(t, {
    archived: () => 500,
    beforeDelete: () => {
      throw new Error('ENOSPC')
    },
  })
  t.throws(() => retention.clean(350), /ENOSPC/)
  t.equal(bases().length, 5)
})
