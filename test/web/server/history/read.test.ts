import type { Report } from '@pesebre/contract/report'
import t, { type Test } from 'tap'
import { createIndexer } from '../../../../web/server/src/history/indexer.ts'
import { readHistory } from '../../../../web/server/src/history/read.ts'
import { STANDARD_RULES } from '../../../../web/server/src/history/rules.ts'
import { memoryArchive } from '../../../fakes/archive.ts'
import { openWebApp } from '../../../fakes/web-app.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

async function setUp(t: Test) {
  const web = await openWebApp()
  t.after(() => web.close())
  const archive = memoryArchive()
  const indexer = createIndexer({
    db: web.db,
    store: archive.store,
    rules: STANDARD_RULES,
    now: () => web.clock.now,
    onIndexed: () => {},
    onUnreadable: (key, error) => t.fail(`${key}: ${error.message}`),
  })
  let seq = 0
  /** Reports of the horse's feeder, one each `every` milliseconds. */
  async function fill(from: number, to: number, every: number, value: (at: number) => number): Promise<void> {
    const reports: Report[] = []
    for (let at = from; at < to; at += every)
      reports.push({
        thing: web.feeder,
        type: 'feeder',
        seq: ++seq,
        at,
        received: at,
        state: { hopper_pct: value(at) },
        link: { interval_s: every / 1000 },
      })
    for (const of of Map.groupBy(reports, ({ received }) => Math.floor(received / HOUR)).values())
      archive.put(of)
    await indexer.sweep()
  }
  const ask = (from: number, to: number, more = {}) =>
    readHistory(
      web.db,
      { horse: web.horse, field: 'hopper_pct', from, to, zone: 'Europe/Madrid', ...more },
      web.clock.now,
    )
  return { web, fill, ask, now: web.clock.now, indexer, archive }
}

t.test('readHistory(): the resolution follows the span', async (t) => {
  const { fill, ask, now } = await setUp(t)
  await fill(now - 3 * DAY, now, 5 * MINUTE, () => 50)
  const cases: [span: number, resolution: string, points: number][] = [
    [6 * HOUR, 'minute', 72],
    [DAY, 'five-minutes', 288],
    [3 * DAY, 'hour', 72],
    [32 * DAY, 'hour', 72],
    [366 * DAY, 'day', 4],
  ]
  for (const [span, resolution, points] of cases) {
    const history = await ask(now - span, now)
    t.equal(history.resolution, resolution, `${span / HOUR} hours`)
    t.equal(history.points.at.length, points)
    for (const column of ['min', 'max', 'avg', 'last'] as const)
      t.equal(history.points[column].length, points)
  }
  t.match(await ask(now - 6 * HOUR, now), { indexed: now - 5 * MINUTE, gaps: [] })
})

t.test('readHistory(): times long ago are answered by the hour', async (t) => {
  const { fill, ask, now } = await setUp(t)
  await fill(now - 60 * DAY, now - 59 * DAY, 15 * MINUTE, (at) => (at / MINUTE) % 60)
  const { resolution, points, gaps } = await ask(now - 60 * DAY, now - 59 * DAY)
  t.equal(resolution, 'hour')
  t.equal(points.at.length, 24)
  t.match(points, {
    min: Array(24).fill(0),
    max: Array(24).fill(45),
    avg: Array(24).fill(22.5),
    last: Array(24).fill(45),
  })
  t.same(gaps, [])
})

t.test('readHistory(): an outage is a gap, on every scale that can show it', async (t) => {
  const { fill, ask, now } = await setUp(t)
  await fill(now - 3 * DAY, now - 40 * HOUR, 5 * MINUTE, () => 50)
  await fill(now - 30 * HOUR, now, 5 * MINUTE, () => 40)
  const day = await ask(now - 48 * HOUR, now)
  t.same(day.gaps, [[now - 40 * HOUR - 5 * MINUTE, now - 30 * HOUR]])
  const hole = day.points.avg.indexOf(null)
  t.equal(day.points.avg.filter((value) => value === null).length, 1)
  t.ok(day.points.at[hole]! > day.points.at[hole - 1]! && day.points.at[hole]! < day.points.at[hole + 1]!)
  const week = await ask(now - 7 * DAY, now)
  t.equal(week.resolution, 'hour')
  t.same(week.gaps, [
    [now - 7 * DAY, now - 3 * DAY],
    [now - 40 * HOUR - 5 * MINUTE, now - 30 * HOUR],
  ])
  t.same(
    (await ask(now - 300 * DAY, now)).gaps,
    [[now - 300 * DAY, now - 3 * DAY]],
    'ten hours are nothing in a year',
  )
})

t.test('readHistory(): days begin at the local midnight, also where the clock changes', async (t) => {
  const { fill, ask, web } = await setUp(t)
  // Europe/Madrid put its clocks back on 25 October 2026: that day had 25 hours.
  const midnights = [
    '2026-10-24T00:00+02:00',
    '2026-10-25T00:00+02:00',
    '2026-10-26T00:00+01:00',
    '2026-10-27T00:00+01:00',
  ]
  const [first, second, third, fourth] = midnights.map((text) => Date.parse(text))
  await fill(first!, fourth!, HOUR, (at) => (at - first!) / HOUR)
  const { points, resolution } = await ask(web.clock.now - 100 * DAY, web.clock.now)
  t.equal(resolution, 'day')
  t.same(
    points.at.filter((_, i) => points.avg[i] !== null),
    [first, second, third],
  )
  t.same(
    points.max.filter((value) => value !== null),
    [23, 48, 72],
  )
  t.same(
    (await ask(web.clock.now - 100 * DAY, web.clock.now, { zone: 'UTC' })).points.at.length,
    4,
    'another zone, other days',
  )
})

t.test('readHistory(): nobody reported, nothing asked for', async (t) => {
  const { ask, fill, now } = await setUp(t)
  t.same((await ask(now - DAY, now)).gaps, [[now - DAY, now]])
  await fill(now - DAY, now, HOUR, () => 1)
  const other = await ask(now - DAY, now, { field: 'battery_mv' })
  t.same(other.points.at, [])
  t.same((await ask(now - DAY, now, { thing: 'somebody-else' })).points.at, [])
  t.equal((await ask(now - DAY, now + DAY)).to, now, 'the future is cut off')
})

t.test('readHistory(): a device that reports too often is answered by the hour', async (t) => {
  const { web, ask, now } = await setUp(t)
  const rows = Array.from({ length: 21_000 }, (_, i) => ({
    thing: web.feeder,
    seq: i,
    at: now - 21_000_000 + i * 1000,
    received: now,
    horse_id: web.horse,
    interval_s: 1,
    state: '{"hopper_pct":1}',
  }))
  for (let from = 0; from < rows.length; from += 500)
    await web.db.sql
      .insertInto('raw_rows')
      .values(rows.slice(from, from + 500))
      .execute()
  t.equal((await ask(now - 6 * HOUR, now)).resolution, 'hour')
  t.equal((await ask(now - 5 * HOUR, now)).resolution, 'minute')
})

t.test('GET /api/horses/{horse}/history and /fields', async (t) => {
  const { web, fill, now } = await setUp(t)
  await fill(now - DAY, now, HOUR, (at) => at % 100)
  const path = `/api/horses/${web.horse}/history`
  const good = await web.ask('vet', `GET ${path}?field=hopper_pct&from=${now - DAY}&to=${now}`)
  t.equal(good.status, 200)
  t.equal(good.json.points.at.length, 24)
  t.same((await web.ask('vet', `GET ${path}/fields`)).json, [
    { field: 'hopper_pct', from: now - DAY, to: now - HOUR },
  ])
  const wrong = [
    '',
    `?field=hopper_pct&from=${now}`,
    `?field=&from=${now - 1}&to=${now}`,
    `?field=a%20b&from=${now - 1}&to=${now}`,
    `?field=${'x'.repeat(65)}&from=${now - 1}&to=${now}`,
    `?field=x&from=${now}&to=${now}`,
    `?field=x&from=${now + 1}&to=${now + 2}`,
    `?field=x&from=0&to=${now}`,
    `?field=x&from=-1&to=${now}`,
    `?field=x&from=${now - 1}&to=${now}&zone=Mars/Olympus`,
    `?field=x&from=${now - 1}&to=${now}&thing=${'x'.repeat(129)}`,
  ]
  for (const query of wrong) t.equal((await web.ask('vet', `GET ${path}${query}`)).status, 400, query)
  t.equal((await web.ask('stranger', `GET ${path}?field=x&from=${now - 1}&to=${now}`)).status, 404)
})
