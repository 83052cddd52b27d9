import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openLogFile } from '../../../local/src/supervisor/log-file.ts'

t.test('openLogFile() appends, and puts a full file aside', async (t) => {
  const path = join(t.testdir(), 'a.log')
  writeFileSync(path, 'from before\n')
  const log = openLogFile(path, 30)
  log.write('first')
  t.equal(readFileSync(path, 'utf8'), 'from before\nfirst\n')
  log.write('second line')
  t.equal(readFileSync(path, 'utf8'), 'from before\nfirst\nsecond line\n')
  log.write('third')
  t.equal(readFileSync(path, 'utf8'), 'third\n')
  t.equal(readFileSync(`${path}.1`, 'utf8'), 'from before\nfirst\nsecond line\n')
  log.close()
  log.write('after the end')
  t.equal(statSync(path).size, 6)
})
