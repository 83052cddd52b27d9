import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArchiveKey } from '@pesebre/contract/archive'
import t, { type Test } from 'tap'
import { type ArchiverSettings, createArchiver } from '../../../gateway/src/archive/archiver.ts'
import type { ArchiveCheckpoint } from '../../../gateway/src/archive/checkpoint.ts'
import { openJournal } from '../../../gateway/src/journal/journal.ts'
import { deleteSegmentsBelow, segmentBases } from '../../../gateway/src/journal/segments.ts'
import { rowsOf } from '../../fakes/bucket.ts'

const HOUR = Date.UTC(2026, 10, 20, 17)

/** A journal with an archiver, a bucket in memory and a clock that stands still. */
async function setUp(t: Test, over: Partial<ArchiverSettings> = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'pesebre-archive-'))
  const journal = openJournal({ dir, segmentBytes: 64 * 1024, maxBytes: 2 ** 30, sent: () => 0 })
  t.teardown(async () => {
    await journal.close()
    rmSync(dir, { recursive: true, force: true })
  })
  const bucket = new Map<string, Uint8Array>()
  const world = { now: 0, isAway: false, isUncertain: false, missing: 0, saved: [] as ArchiveCheckpoint[] }
  const settings: ArchiverSettings = {
    gateway: 'a',
    journal: 0,
    dir,
    committed: journal.committed,
    start: { archived: 0 },
    save: (checkpoint) => world.saved.push(checkpoint),
    put: async (key, body) => {
      if (world.isAway) throw new Error('S3 is away')
      bucket.set(key, body)
      if (world.isUncertain) throw new Error('the answer was lost')
    },
    rotateMs: 60_000,
    objectBytes: 32 * 1024,
    now: () => world.now,
    onArchived: () => {},
    onMissing: (bytes) => {
      world.missing += bytes
    },
    onSaveFailure: () => {},
    ...over,
  }
  let seq = 0
  const report = (received = HOUR + seq): Promise<void> => {
    seq++
    return journal.append(
      Buffer.from(JSON.stringify({ thing: `t-${seq % 7}`, type: 'load', seq, at: received, received })),
    )
  }
  const seqs = async (): Promise<number[]> => {
    const rows = await Promise.all([...bucket.values()].map(rowsOf))
    return rows.flat().map((row) => row['seq'] as number)
  }
  const restart = (): ReturnType<typeof createArchiver> =>
    createArchiver({ ...settings, start: world.saved.at(-1) ?? { archived: 0 } })
  return { dir, journal, bucket, world, settings, report, seqs, restart, archiver: createArchiver(settings) }
}

t.test('an object is made when its time is over, and not before', async (t) => {
  const { archiver, report, world, bucket, seqs } = await setUp(t)
  await report()
  t.equal(await archiver.step(), false)
  world.now = 59_999
  t.equal(await archiver.step(), false)
  t.equal(archiver.waitedMs(), 59_999)
  world.now = 60_000
  t.equal(await archiver.step(), true)
  t.equal(await archiver.step(), false)
  t.equal(archiver.waitedMs(), 0)
  t.same([...bucket.keys()].map(parseArchiveKey), [
    { gateway: 'a', hour: HOUR, journal: 0, first: 0, end: world.saved.at(-1)?.archived, crc: crcOf(bucket) },
  ])
  t.same(await seqs(), [1])
})

t.test('an object is made at once when there is enough for one', async (t) => {
  const { archiver, report, bucket, journal } = await setUp(t)
  while (journal.committed() < 32 * 1024) await report()
  t.equal(await archiver.step(), true)
  const [object] = [...bucket.keys()].map(parseArchiveKey)
  t.ok(object!.end <= 32 * 1024 && object!.end > 31 * 1024, 'as large as it may be, in whole lines')
})

t.test('objects end with the hour and with the segment, and together hold every report once', async (t) => {
  const { archiver, report, world, bucket, seqs, dir } = await setUp(t)
  for (let i = 0; i < 2000; i++) await report(HOUR + Math.floor(i / 700) * 3_600_000)
  world.now = 60_000
  while (await archiver.step(true));
  const objects = [...bucket.keys()].map((key) => parseArchiveKey(key)!)
  t.same(
    objects.map(({ first }) => first),
    [0, ...objects.map(({ end }) => end).slice(0, -1)],
    'without a gap',
  )
  t.same([...new Set(objects.map(({ hour }) => (hour - HOUR) / 3_600_000))], [0, 1, 2])
  for (const [key, bytes] of bucket) {
    const { hour } = parseArchiveKey(key)!
    const hours = (await rowsOf(bytes)).map(
      ({ received }) => Math.floor(Number(received) / 3_600_000) * 3_600_000,
    )
    t.same([...new Set(hours)], [hour], 'all of one hour, which the key says')
  }
  for (const base of segmentBases(dir).slice(1)) t.ok(objects.some(({ end }) => end === base))
  t.same(
    await seqs(),
    Array.from({ length: 2000 }, (_, i) => i + 1),
  )
})

t.test('a crash between the object and its checkpoint: the same object again', async (t) => {
  const { archiver, report, world, bucket, restart, seqs } = await setUp(t)
  await report()
  world.now = 60_000
  world.isUncertain = true
  await t.rejects(archiver.step(true), /answer was lost/)
  world.isUncertain = false
  // More has come when the next run finds the object unfinished.
  await report()
  const next = restart()
  t.equal(await next.step(), true)
  t.equal(bucket.size, 1)
  world.now = 200_000
  while (await next.step(true));
  t.equal(bucket.size, 2)
  t.same(await seqs(), [1, 2], 'each report once, without de-duplication')
})

t.test('S3 away: nothing is skipped, and the object is the same when S3 is back', async (t) => {
  const { archiver, report, world, seqs } = await setUp(t)
  await report()
  world.now = 60_000
  world.isAway = true
  for (let i = 0; i < 3; i++) {
    await t.rejects(archiver.step(true), /away/)
    await report()
  }
  t.ok(archiver.waitedMs() >= 0)
  world.isAway = false
  while (await archiver.step(true));
  t.same(await seqs(), [1, 2, 3, 4])
})

t.test('without a checkpoint everything on disk is archived', async (t) => {
  const { report, world, seqs, settings } = await setUp(t)
  for (let i = 0; i < 10; i++) await report()
  world.now = 60_000
  const archiver = createArchiver(settings)
  t.equal(await archiver.step(), true, 'what an earlier run left has waited long enough')
  t.equal((await seqs()).length, 10)
})

t.test(
  'an object that S3 did not take, and whose segments are gone, does not stop the archive',
  async (t) => {
    const { archiver, journal, dir, report, world, seqs, restart } = await setUp(t)
    while (journal.committed() < 200 * 1024) await report()
    world.isAway = true
    await t.rejects(archiver.step(true), { message: 'S3 is away' })
    const second = segmentBases(dir)[1]!
    deleteSegmentsBelow(dir, second)
    world.isAway = false
    // Its end is in the checkpoint, too.
    for (const one of [archiver, restart()]) while (await one.step(true));
    t.ok(world.missing >= second)
    t.ok((await seqs()).length > 0)
    t.equal(world.saved.at(-1)?.archived, journal.committed())
  },
)

t.test('segments that are gone are counted, and the rest is archived', async (t) => {
  const { archiver, report, world, journal, dir, seqs } = await setUp(t)
  while (journal.committed() < 200 * 1024) await report()
  const [, second] = segmentBases(dir)
  deleteSegmentsBelow(dir, second!)
  world.now = 60_000
  while (await archiver.step(true));
  t.equal(world.missing, second)
  const archived = await seqs()
  t.equal(archived.at(-1), archived[0]! + archived.length - 1)
})

t.test('a disk that does not take the checkpoint does not stop the archive', async (t) => {
  const failures: Error[] = []
  const { report, world, settings, seqs } = await setUp(t)
  const archiver = createArchiver({
    ...settings,
    save: () => {
      throw new Error('ENOSPC')
    },
    onSaveFailure: (error) => failures.push(error),
  })
  await report()
  t.equal(await archiver.step(true), true)
  world.now = 1
  t.equal(await archiver.step(true), false)
  t.equal(failures.length, 2)
  t.same(await seqs(), [1])
})

function crcOf(bucket: Map<string, unknown>): number {
  return parseArchiveKey([...bucket.keys()][0]!)!.crc
}
