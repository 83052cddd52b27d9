import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { type Journal, openJournal } from '../../../gateway/src/journal/journal.ts'
import { createReader } from '../../../gateway/src/journal/reader.ts'
import { recover } from '../../../gateway/src/journal/recovery.ts'
import { segmentBases, segmentPath } from '../../../gateway/src/journal/segments.ts'
import { until } from '../../fakes/until.ts'

t.setTimeout(120_000)

const SEGMENT = 4096

function open(dir: string): Journal {
  return openJournal({ dir, segmentBytes: SEGMENT, maxBytes: 1e9, sent: () => 0 })
}

function report(seq: number): string {
  return JSON.stringify({ thing: 't', type: 'x', seq, at: 1, received: 1, state: { n: seq } })
}

async function spareIsThere(dir: string): Promise<void> {
  await until(
    'a spare',
    () => readdirSync(dir).includes('spare'),
    () => readdirSync(dir),
  )
}

async function fill(journal: Journal, from: number): Promise<number> {
  let seq = from
  for (const end = journal.committed() + SEGMENT; journal.committed() < end; )
    await journal.append(Buffer.from(report(++seq)))
  return seq
}

async function readAll(dir: string, end: number): Promise<string[]> {
  const reader = createReader(dir, 0)
  const texts: string[] = []
  while (reader.position() < end) {
    const { lines, damaged } = await reader.read(end, 1e6)
    if (damaged > 0) throw new Error('Damaged')
    texts.push(...lines.map(String))
  }
  await reader.close()
  return texts
}

t.test(
  'a segment is written over zeros that were there before, and what was not used is cut off',
  async (t) => {
    const dir = t.testdir()
    const journal = open(dir)
    await spareIsThere(dir)
    t.same(readFileSync(join(dir, 'spare')), Buffer.alloc(SEGMENT))
    const last = await fill(journal, 0)
    // This one goes to the next segment, which the spare has become.
    await journal.append(Buffer.from(report(last + 1)))
    const [, second] = segmentBases(dir) as [number, number]
    t.equal(statSync(segmentPath(dir, second)).size, SEGMENT)
    const end = journal.committed()
    await journal.close()
    t.equal(statSync(segmentPath(dir, second)).size, end - second)
    t.same(
      await readAll(dir, end),
      Array.from({ length: last + 1 }, (_, i) => report(i + 1)),
    )
  },
)

t.test('recover after a crash: the zeros behind the last line are no torn write', async (t) => {
  const dir = t.testdir()
  const line = (seq: number) => `00000000 ${report(seq)}\n`
  const journal = open(dir)
  await spareIsThere(dir)
  await journal.close()
  const again = open(dir)
  await again.append(Buffer.from(report(1)))
  const end = again.committed()
  // As kill -9 leaves it: nothing is cut off.
  t.match(recover(dir), { start: 0, end, torn: 0, seq: 1 })
  t.equal(statSync(segmentPath(dir, 0)).size, end)
  writeFileSync(
    segmentPath(dir, 0),
    `${readFileSync(segmentPath(dir, 0))}${line(2).slice(0, 30)}${'\0'.repeat(500)}`,
  )
  t.match(recover(dir), { start: 0, end, torn: 30, seq: 1 })
  t.same(await readAll(dir, end), [report(1)])
})

t.test('a spare of another size, or one that a crash left unfinished, is made anew', async (t) => {
  const dir = t.testdir({ spare: 'x', 'spare.new': 'x' })
  const journal = open(dir)
  await journal.append(Buffer.from(report(1)))
  const size = () => statSync(join(dir, 'spare')).size
  await until('a spare of the right size', () => size() === SEGMENT, size)
  await journal.close()
  t.same(readdirSync(dir).sort(), ['0000000000000000.journal', 'spare'])
})

t.test('where a spare cannot be made, the journal goes on without', async (t) => {
  const dir = t.testdir({ 'spare.new': {} })
  const journal = open(dir)
  const last = await fill(journal, 0)
  await journal.append(Buffer.from(report(last + 1)))
  const end = journal.committed()
  await journal.close()
  t.equal((await readAll(dir, end)).length, last + 1)
})
