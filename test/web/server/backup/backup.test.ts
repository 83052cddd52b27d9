import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { backUpIfOld } from '../../../../web/server/src/backup/daily.ts'
import { dump } from '../../../../web/server/src/backup/dump.ts'
import { load } from '../../../../web/server/src/backup/load.ts'
import { KEPT, LEFT_OUT } from '../../../../web/server/src/backup/tables.ts'
import { openDatabase } from '../../../../web/server/src/db/database.ts'
import { makeBucket } from '../../../fakes/bucket.ts'
import { startSqs } from '../../../fakes/sqs.ts'
import { newPlace, openTestDatabase } from '../../../fakes/test-database.ts'
import { openWebApp } from '../../../fakes/web-app.ts'

t.setTimeout(120_000)
const MAIN = fileURLToPath(new URL('../../../../web/server/src/backup-main.ts', import.meta.url))

/** A database that holds something in most tables, as lines. */
async function backup(): Promise<string[]> {
  const web = await openWebApp()
  await web.ask('owner', `POST /api/stables/${web.stable}/horses`, { body: { name: 'Iñigo 🐴' } })
  await web.ask('owner', `POST /api/stables/${web.stable}/members`, { body: { role: 'vet' } })
  const lines: string[] = []
  await dump(web.db, web.clock.now, (line) => lines.push(line))
  await web.close()
  return lines
}

t.test('every table is either kept or left out on purpose', async (t) => {
  const db = await openTestDatabase()
  t.after(() => db.close())
  const tables = (await db.sql.introspection.getTables()).map(({ name }) => name)
  t.strictSame(
    tables.filter((name) => !name.startsWith('kysely_')).toSorted(),
    [...KEPT, ...LEFT_OUT].toSorted(),
  )
})

for (const [what, place] of [
  ['a database of the same kind', newPlace],
  ['SQLite, whatever it came from', async (dir: string) => `${dir}/restored.sqlite`],
] as const)
  t.test(`what was dumped is loaded the same into ${what}`, async (t) => {
    const lines = await backup()
    const path = await place(t.testdir())
    const { rows } = await load(path, lines)
    t.equal(rows, lines.length - 2)
    const db = await openDatabase(path)
    t.after(() => db.close())
    const again: string[] = []
    await dump(db, JSON.parse(lines[0]!).at, (line) => again.push(line))
    t.strictSame(
      again.map((line) => JSON.parse(line)),
      lines.map((line) => JSON.parse(line)),
    )
    t.equal((await db.sql.selectFrom('sessions').selectAll().execute()).length, 0, 'nobody stays signed in')
  })

t.test('a damaged, a cut and a newer backup, and a database with data, are refused', async (t) => {
  const lines = await backup()
  const [header, ...rest] = lines
  const path = `${t.testdir()}/x.sqlite`
  const newer = JSON.stringify({ ...JSON.parse(header!), migration: '9999-future' })
  for (const [given, message] of [
    [[], /no backup of Pesebre/],
    [['{}'], /no backup of Pesebre/],
    [lines.slice(0, -1), /its end is missing/],
    [lines.toSpliced(3, 1), /its end is missing/],
    [lines.with(2, '{"table":'), /a line is no JSON/],
    [lines.with(2, '{"table":"sqlite_master","row":{}}'), /unknown table sqlite_master/],
    [[newer, ...rest], /made by a newer server: 9999-future/],
  ] as const)
    await t.rejects(load(path, given), { message })
  t.equal(existsSync(path), false)
  await load(path, lines)
  await t.rejects(load(path, lines), { message: /the database has data/ })
})

t.test('backUpIfOld() makes one when the newest is older than a day, or there is none', async (t) => {
  const day = 86_400_000
  let list: { at: number; key: string; bytes: number }[] = []
  let runs = 0
  const run = async () => {
    runs++
    list = [{ at: 5 * day, key: 'backup/x', bytes: 1 }]
  }
  const store = { list: async () => list }
  t.equal(await backUpIfOld(store, { now: 5 * day, run }), 5 * day)
  t.equal(await backUpIfOld(store, { now: 6 * day, run }), 5 * day)
  t.equal(runs, 1, 'a day old is young enough')
  await backUpIfOld(store, { now: 6 * day + 1, run })
  t.equal(runs, 2)
  await t.rejects(backUpIfOld(store, { now: 8 * day, run: async () => Promise.reject(new Error('no')) }), {
    message: 'no',
  })
})

t.test('the commands save while a server writes, list, and restore', { timeout: 110_000 }, async (t) => {
  const sqs = await startSqs()
  t.after(() => sqs.close())
  const bucket = await makeBucket(sqs.url)
  t.after(() => bucket.close())
  const dir = t.testdir()
  const env = {
    PATH: process.env['PATH'],
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_ENDPOINT_URL_S3: sqs.url,
    PESEBRE_BUCKET: bucket.name,
  }
  async function run(where: string, ...args: string[]) {
    const child = spawn(process.execPath, [MAIN, ...args], { env: { ...env, PESEBRE_WEB_DIR: where } })
    let said = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text
      })
    const [code] = await once(child, 'close')
    return { code, said }
  }

  t.match(await run(dir, 'restore'), { code: 1, said: /there are no backups/ })
  const web = await openWebApp({ db: await openDatabase(`${dir}/pesebre.sqlite`) })
  const saving = run(dir, 'save')
  for (let n = 0; n < 20; n++)
    await web.ask('owner', `POST /api/stables/${web.stable}/horses`, { body: { name: `Horse ${n}` } })
  t.match(await saving, { code: 0, said: /^Saved \d+ rows as backup\/.*\.ndjson\.gz, \d+ bytes/ })
  const before = await web.db.sql.selectFrom('horses').selectAll().execute()
  t.match(await run(dir, 'save'), { code: 0 })
  await web.close()

  const listed = await run(dir, 'list')
  t.equal(listed.said.trim().split('\n').length, 2)
  t.match(await run(dir, 'restore'), { code: 1, said: /pesebre\.sqlite is there: stop the server/ })
  const fresh = `${dir}/fresh`
  t.match(await run(fresh, 'restore'), { code: 0, said: /^Restored \d+ rows of 20/ })
  const db = await openDatabase(`${fresh}/pesebre.sqlite`)
  t.after(() => db.close())
  t.strictSame(await db.sql.selectFrom('horses').selectAll().execute(), before, 'the newest')
  t.match(await run(dir, 'restore', 'backup/none'), { code: 1 })
  t.match(await run(dir), { code: 2, said: /Backups of the web server/ })
})
