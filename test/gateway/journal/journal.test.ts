import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmdirSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { writeCheckpoint } from '../../../gateway/src/journal/checkpoint.ts'
import {
  type Disk,
  type Journal,
  type JournalSettings,
  JournalUnavailable,
  openJournal,
} from '../../../gateway/src/journal/journal.ts'
import { createReader } from '../../../gateway/src/journal/reader.ts'
import { recover } from '../../../gateway/src/journal/recovery.ts'
import { deleteSegmentsBelow, segmentBases, segmentPath } from '../../../gateway/src/journal/segments.ts'
import { until } from '../../fakes/until.ts'

t.setTimeout(120_000)

const MIB = 1024 * 1024

function open(dir: string, settings: Partial<JournalSettings> = {}): Journal {
  return openJournal({ dir, segmentBytes: MIB, maxBytes: 100 * MIB, sent: () => 0, ...settings })
}

function report(seq: number): string {
  return JSON.stringify({ thing: `t${seq % 3}`, type: 'x', seq, at: 1, received: 1, state: { n: seq } })
}

async function readAll(
  dir: string,
  from: number,
  to: number,
  bytes = 4096,
): Promise<{ texts: string[]; damaged: number }> {
  const reader = createReader(dir, from)
  const texts: string[] = []
  let damaged = 0
  while (reader.position() < to) {
    const piece = await reader.read(to, bytes)
    texts.push(...piece.lines.map(String))
    damaged += piece.damaged
  }
  await reader.close()
  return { texts, damaged }
}

t.test('append resolves when the line is on disk; a reader finds it there', async (t) => {
  const dir = t.testdir()
  const journal = open(dir)
  await Promise.all([1, 2, 3].map((seq) => journal.append(Buffer.from(report(seq)))))
  t.match(readFileSync(segmentPath(dir, 0), 'utf8'), /"seq":1[\s\S]*"seq":2[\s\S]*"seq":3/)
  t.same((await readAll(dir, 0, journal.committed())).texts, [report(1), report(2), report(3)])
  await journal.close()
})

t.test('append shares one flush among all that gathers while the last one runs', async (t) => {
  const commits: number[] = []
  let release: (() => void) | undefined
  const disk: Disk = () => new Promise((resolve) => (release = resolve))
  const journal = open(t.testdir(), { disk, onCommit: (_, lines) => commits.push(lines) })
  const diskWrites = () =>
    until(
      'a write',
      () => release !== undefined,
      () => commits,
    )
  const first = journal.append(Buffer.from(report(1)))
  await diskWrites()
  const rest = [2, 3, 4].map((seq) => journal.append(Buffer.from(report(seq))))
  release!()
  release = undefined
  await first
  await diskWrites()
  release!()
  await Promise.all(rest)
  t.same(commits, [1, 3])
})

t.test('append does not resolve before the disk said yes', async (t) => {
  const journal = open(t.testdir(), { disk: () => new Promise(() => {}) })
  let resolved = false
  journal.append(Buffer.from(report(1))).then(
    () => (resolved = true),
    () => {},
  )
  await new Promise((resolve) => setTimeout(resolve, 20))
  t.notOk(resolved)
  t.equal(journal.committed(), 0)
})

t.test(
  'append begins a new segment when one is full, and the reader crosses from one to the next',
  async (t) => {
    const dir = t.testdir()
    const journal = open(dir, { segmentBytes: 300 })
    for (let seq = 1; seq <= 40; seq++) await journal.append(Buffer.from(report(seq)))
    t.ok(segmentBases(dir).length > 5)
    for (const bytes of [16, 100, 300, 4096]) {
      const { texts } = await readAll(dir, 0, journal.committed(), bytes)
      t.same(
        texts,
        Array.from({ length: 40 }, (_, i) => report(i + 1)),
        `read in pieces of ${bytes}`,
      )
    }
    await journal.close()
  },
)

t.test('append grows its buffer for a burst larger than it', async (t) => {
  const dir = t.testdir()
  const journal = open(dir)
  const big = Array.from({ length: 200 }, (_, seq) => JSON.stringify({ seq, pad: 'x'.repeat(10_000) }))
  await Promise.all(big.map((text) => journal.append(Buffer.from(text))))
  t.same((await readAll(dir, 0, journal.committed(), 65_536)).texts, big)
  await journal.close()
})

t.test(
  'append refuses as full when SQS has been away for too long, and takes again when it has caught up',
  async (t) => {
    let sent = 0
    const journal = open(t.testdir(), { maxBytes: 1000, sent: () => sent })
    let taken = 0
    const fill = async (): Promise<void> => {
      for (; ; taken++) await journal.append(Buffer.from(report(taken)))
    }
    t.equal(await reasonOf(fill()), 'full')
    t.ok(journal.backlog() <= 1000 && taken > 5)
    sent = journal.committed()
    await journal.append(Buffer.from(report(taken)))
    await journal.close()
  },
)

t.test('recover goes on where the journal stopped, in a new segment', async (t) => {
  const dir = t.testdir()
  const first = open(dir)
  await first.append(Buffer.from(report(7)))
  await first.close()
  const second = open(dir)
  t.match(second.recovered, { start: 0, end: first.committed(), torn: 0, seq: 7 })
  await second.append(Buffer.from(report(8)))
  t.same((await readAll(dir, 0, second.committed())).texts, [report(7), report(8)])
  await second.close()
})

t.test('recover cuts a torn end off at every possible byte, and says how much', async (t) => {
  const dir = t.testdir()
  const journal = open(dir)
  await journal.append(Buffer.from(report(1)))
  const whole = journal.committed()
  await journal.append(Buffer.from(report(2)))
  const end = journal.committed()
  await journal.close()
  const path = segmentPath(dir, 0)
  const bytes = readFileSync(path)
  const wrong: number[] = []
  for (let length = whole; length < end; length++) {
    writeFileSync(path, bytes.subarray(0, length))
    const recovered = recover(dir)
    const isRight =
      recovered.end === whole && recovered.torn === length - whole && statSync(path).size === whole
    if (!isRight) wrong.push(length)
  }
  t.same(wrong, [])
})

t.test(
  'recover keeps sound lines behind a damaged one; the reader leaves that one out and counts it',
  async (t) => {
    const dir = t.testdir()
    const journal = open(dir)
    for (const seq of [1, 2, 3]) await journal.append(Buffer.from(report(seq)))
    const end = journal.committed()
    await journal.close()
    const fd = openSync(segmentPath(dir, 0), 'r+')
    writeSync(fd, 'X', Math.floor(end / 2))
    closeSync(fd)
    t.match(recover(dir), { end, torn: 0 })
    t.same(await readAll(dir, 0, end), { texts: [report(1), report(3)], damaged: 1 })
  },
)

t.test('a reader steps over what is missing, and counts it as damage', async (t) => {
  const dir = t.testdir()
  for (const seq of [1, 2, 3]) {
    const journal = open(dir)
    await journal.append(Buffer.from(report(seq)))
    await journal.close()
  }
  const end = recover(dir).end
  const [first, second] = segmentBases(dir) as [number, number]
  truncateSync(segmentPath(dir, second), 20)
  t.same(await readAll(dir, 0, end), { texts: [report(1), report(3)], damaged: 1 }, 'cut off')
  unlinkSync(segmentPath(dir, second))
  t.same(await readAll(dir, 0, end), { texts: [report(1), report(3)], damaged: 1 }, 'deleted')
  unlinkSync(segmentPath(dir, first))
  t.same(await readAll(dir, 0, end), { texts: [report(3)], damaged: 1 }, 'the oldest deleted')
})

t.test('recover begins at the checkpoint, and without one at the oldest segment', async (t) => {
  const dir = t.testdir()
  const journal = open(dir)
  await journal.append(Buffer.from(report(1)))
  const middle = journal.committed()
  await journal.append(Buffer.from(report(2)))
  await journal.close()
  t.equal(recover(dir).start, 0)
  writeCheckpoint(dir, { sent: middle, seq: 99 })
  t.match(recover(dir), { start: middle, seq: 99 })
  writeFileSync(join(dir, 'checkpoint.json'), '{"sent":')
  t.equal(recover(dir).start, 0, 'a damaged checkpoint only causes repeats')
  writeCheckpoint(dir, { sent: 1e9, seq: 0 })
  t.equal(
    recover(dir).start,
    journal.committed(),
    'a checkpoint beyond the end does not skip what comes next',
  )
})

t.test('recover of a directory whose segments are gone does not run positions backwards', async (t) => {
  const dir = t.testdir()
  writeCheckpoint(dir, { sent: 5000, seq: 12 })
  const journal = open(dir)
  t.match(journal.recovered, { start: 5000, end: 5000, seq: 12 })
  await journal.append(Buffer.from(report(13)))
  t.same((await readAll(dir, 5000, journal.committed())).texts, [report(13)])
  await journal.close()
})

t.test('deleteSegmentsBelow deletes what is wholly sent and never the last segment', async (t) => {
  const dir = t.testdir()
  const journal = open(dir, { segmentBytes: 200 })
  for (let seq = 1; seq <= 20; seq++) await journal.append(Buffer.from(report(seq)))
  const bases = segmentBases(dir)
  t.equal(deleteSegmentsBelow(dir, bases[2]! - 1), 1)
  t.equal(deleteSegmentsBelow(dir, bases[2]!), 1)
  t.equal(deleteSegmentsBelow(dir, journal.committed() + 1000), bases.length - 3)
  t.equal(segmentBases(dir).length, 1)
  await journal.close()
})

for (const code of ['ENOSPC', 'EIO']) {
  t.test(`append after ${code}: nothing is acknowledged until heal wrote to the disk again`, async (t) => {
    const dir = t.testdir()
    let broken = false
    const disk: Disk = async (fd, bytes, length, position) => {
      // A failing disk takes half of it, as a full one does.
      writeSync(fd, bytes, 0, broken ? length >> 1 : length, position)
      if (broken) throw Object.assign(new Error(code), { code })
    }
    const journal = open(dir, { disk })
    await journal.append(Buffer.from(report(1)))
    broken = true
    const results = await Promise.allSettled([
      journal.append(Buffer.from(report(2))),
      journal.append(Buffer.from(report(3))),
    ])
    t.same(
      results.map(({ status }) => status),
      ['rejected', 'rejected'],
    )
    t.equal(await reasonOf(journal.append(Buffer.from(report(4)))), 'failed')
    t.match(journal.failure(), { code })
    broken = false
    t.equal(await journal.heal(), true)
    t.equal(journal.failure(), undefined)
    await journal.append(Buffer.from(report(5)))
    t.same(
      (await readAll(dir, 0, journal.committed())).texts,
      [report(1), report(5)],
      'the torn rest of the failed commit is not read',
    )
    await journal.close()
    const again = open(dir)
    t.equal(again.recovered.end, journal.committed())
    await again.close()
  })
}

t.test('heal after a failure of the very first commit reuses the segment', async (t) => {
  const dir = t.testdir()
  let broken = true
  const disk: Disk = async (fd, bytes, length, position) => {
    writeSync(fd, bytes, 0, broken ? 5 : length, position)
    if (broken) throw new Error('broken')
  }
  const journal = open(dir, { disk })
  await t.rejects(journal.append(Buffer.from(report(1))))
  broken = false
  await journal.heal()
  await journal.append(Buffer.from(report(2)))
  t.same((await readAll(dir, 0, journal.committed())).texts, [report(2)])
  await journal.close()
})

t.test('heal fails while the disk does', async (t) => {
  const dir = t.testdir({ sub: {} })
  const journal = open(join(dir, 'sub'), {
    disk: async () => {
      throw new Error('broken')
    },
  })
  await t.rejects(journal.append(Buffer.from(report(1))))
  // A directory in the way of the probe file: the disk "does not write".
  t.ok(existsSync(join(dir, 'sub')))
  mkdirSync(join(dir, 'sub', 'probe'))
  t.equal(await journal.heal(), false)
  rmdirSync(join(dir, 'sub', 'probe'))
  t.equal(await journal.heal(), true)
})

t.test('close flushes what was appended and refuses the rest', async (t) => {
  const dir = t.testdir()
  const journal = open(dir)
  const last = journal.append(Buffer.from(report(1)))
  await journal.close()
  await last
  t.equal(await reasonOf(journal.append(Buffer.from(report(2)))), 'closed')
  truncateSync(segmentPath(dir, 0), journal.committed())
  t.same((await readAll(dir, 0, journal.committed())).texts, [report(1)])
})

async function reasonOf(promise: Promise<void>): Promise<string> {
  const error = await promise.then(
    () => new Error('resolved'),
    (cause: unknown) => cause,
  )
  return error instanceof JournalUnavailable ? error.reason : String(error)
}
