import fc from 'fast-check'
import t from 'tap'
import { LINE_OVERHEAD, lineAt, lineJson, writeLine } from '../../../gateway/src/journal/line.ts'

t.test('writeLine writes eight hex digits of CRC-32, the JSON and a newline', async (t) => {
  const into = Buffer.alloc(64)
  const length = writeLine(into, 3, Buffer.from('{"a":1}'))
  t.equal(into.toString('latin1', 3, 3 + length), '561bacaf {"a":1}\n')
  t.equal(length, 7 + LINE_OVERHEAD)
})

t.test('writeLine refuses what does not fit, to the byte', async (t) => {
  const json = '{"ä":"€"}'
  const size = Buffer.byteLength(json) + LINE_OVERHEAD
  t.equal(writeLine(Buffer.alloc(size - 1), 0, Buffer.from(json)), 0)
  t.equal(writeLine(Buffer.alloc(size), 0, Buffer.from(json)), size)
})

t.test('lineAt gives back what writeLine wrote, whatever the text', async (t) => {
  const texts = fc
    .dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }))
    .map((record) => JSON.stringify(record))
  const property = fc.property(fc.array(texts, { minLength: 1 }), (written) => {
    const into = Buffer.alloc(written.reduce((sum, text) => sum + Buffer.byteLength(text) + LINE_OVERHEAD, 0))
    let end = 0
    for (const text of written) end += writeLine(into, end, Buffer.from(text))
    const read: string[] = []
    let at = 0
    for (let line = lineAt(into, 0); line?.ok; line = lineAt(into, at)) {
      read.push(lineJson(into, line).toString())
      at = line.next
    }
    return at === end && read.join() === written.join()
  })
  t.notOk(fc.check(property).failed)
})

t.test('lineAt sees every flipped bit of a line', async (t) => {
  const into = Buffer.alloc(64)
  const length = writeLine(into, 0, Buffer.from('{"thing":"bella"}'))
  const unseen: number[] = []
  for (let bit = 0; bit < (length - 1) * 8; bit++) {
    const damaged = Buffer.from(into)
    damaged[bit >> 3]! ^= 1 << (bit & 7)
    if (lineAt(damaged, 0)?.ok) unseen.push(bit)
  }
  t.same(unseen, [])
})
