import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { lockJournal } from '../../../gateway/src/journal/lock.ts'
import { startGateway } from '../../fakes/gateway-process.ts'
import { missing } from '../../fakes/needs.ts'

const skip = missing('Linux (the lock is an abstract socket)', () => {
  if (process.platform !== 'linux') throw new Error(process.platform)
})
const TAKEN = /Cannot use the journal directory: another gateway has it open: /

t.test(
  'lockJournal() refuses a directory that is locked, by any path, until it is let go',
  { skip },
  async (t) => {
    const dir = t.testdir()
    const journal = join(dir, 'journal')
    mkdirSync(journal)
    symlinkSync(journal, join(dir, 'link'))
    const unlock = await lockJournal(journal)
    for (const path of [journal, `${dir}/./journal/`, join(dir, 'link')])
      await t.rejects(lockJournal(path), { message: TAKEN }, path)
    const other = await lockJournal(join(dir, 'other'))
    unlock()
    const again = await lockJournal(join(dir, 'link'))
    again()
    other()
  },
)

t.test(
  'a second gateway on a journal that is in use does not start; after a kill -9 the next one does',
  { skip, timeout: 120_000 },
  async (t) => {
    const journalDir = t.testdir()
    const running = await startGateway({ journalDir })
    t.teardown(() => running.kill())
    const refused = await startGateway({ journalDir }).then(
      async (gateway) => {
        await gateway.kill()
        return 'it started'
      },
      (error: Error) => error.message,
    )
    t.match(refused, TAKEN)
    t.ok(running.alive())
    await running.kill()
    const next = await startGateway({ journalDir })
    t.equal(await next.stop(), 0, 'the kernel has let go of it')
  },
)
