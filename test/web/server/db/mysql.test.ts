import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { noMariadb, startMariadb } from '../../../fakes/mariadb.ts'

const timeout = 300_000
t.setTimeout(timeout)

/** Everything that speaks to a database through test/fakes/test-database.ts: the same files, on MySQL. */
const SUITE = [
  'test/web/server/db/database.test.ts',
  'test/web/server/routes/*.test.ts',
  'test/web/server/access.test.ts',
  'test/web/server/idempotency.test.ts',
  'test/web/server/backup/*.test.ts',
  'test/web/server/history/*.test.ts',
  'test/web/server/feeding/feeds.test.ts',
  'test/web/server/alarms/*.test.ts',
  'test/web/server/notify/*.test.ts',
]
const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))

t.test('the whole suite of the database passes on MySQL, too', { skip: noMariadb, timeout }, async (t) => {
  const server = await startMariadb()
  t.after(() => server.stop())
  const run = spawn(process.execPath, ['--test', '--test-reporter=tap', '--test-concurrency=2', ...SUITE], {
    cwd: ROOT,
    env: { ...process.env, TEST_DATABASE_SERVER: server.url, NODE_TEST_CONTEXT: undefined },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  run.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const [code] = await once(run, 'exit')
  const failed = said.split('\n').filter((line) => /^\s*not ok/.test(line))
  t.strictSame(failed, [])
  t.equal(code, 0)
  t.ok(Number(/^# pass (\d+)/m.exec(said)?.[1]) > 200, 'they did run')
  t.match(said, /^# skipped 0$/m)
})
