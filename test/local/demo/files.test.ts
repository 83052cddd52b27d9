import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openSequence, readRecord, writeRecord } from '../../../local/src/demo/files.ts'
import { chooseGateway } from '../../../local/src/demo/gateways.ts'
import { NEW_RECORD } from '../../../local/src/demo/record.ts'

t.test('openSequence() never gives a number twice: each is written down before it is used', async (t) => {
  const path = join(t.testdir(), 'sequence')
  const given: unknown[] = []
  for (let start = 0; start < 3; start++) {
    const { sequence, reserve } = openSequence(path)
    t.equal(sequence.take(), 'sequence-unreserved', 'nothing without the disk')
    for (let message = 0; message < 3; message++) {
      reserve()
      t.equal(Number(readFileSync(path, 'utf8')), given.length + 1, 'before it is used')
      given.push(sequence.take())
    }
  }
  t.strictSame(given, [0, 1, 2, 3, 4, 5, 6, 7, 8])
})

t.test('openSequence() gives nothing out when the disk fails', async (t) => {
  const path = join(t.testdir(), 'sequence')
  const { sequence, reserve } = openSequence(path)
  mkdirSync(`${path}.new`)
  t.throws(reserve)
  t.equal(sequence.take(), 'sequence-unreserved')
})

t.test('openSequence() does not begin again at zero when its file is damaged', async (t) => {
  const path = join(t.testdir(), 'sequence')
  for (const text of ['', '12', '12x\n', '-1\n', '99999999999999\n']) {
    writeFileSync(path, text)
    t.throws(
      () => openSequence(path),
      { message: /^Cannot read the sequence of a feeder/ },
      JSON.stringify(text),
    )
  }
})

t.test('readRecord() reads what was written; a memory that cannot be read latches (F7)', async (t) => {
  const path = join(t.testdir(), 'memory')
  const warnings: string[] = []
  const read = () => readRecord(path, (text) => warnings.push(text))
  t.strictSame(read(), NEW_RECORD)
  const record = { ...NEW_RECORD, highWater: 7, lastMealAt: 1_800_000_000 }
  writeRecord(path, record)
  t.strictSame(read(), record)
  t.strictSame(warnings, [])
  writeFileSync(path, '{"highWater":7')
  t.match(read(), { latched: true })
  t.match(warnings, [/latched.*delete it/])
})

t.test('chooseGateway() begins at number mod n, keeps what answers, and leaves what does not', async (t) => {
  const gateways = ['a', 'b', 'c'].map((id) => ({ id, host: '127.0.0.1', port: 1 }))
  const choice = chooseGateway(gateways, 4)
  t.equal(choice.current().id, 'b')
  t.equal(choice.current().id, 'b')
  const seen = [1, 2, 3].map(() => {
    choice.failed()
    return choice.current().id
  })
  t.strictSame(seen, ['c', 'a', 'b'])
})
