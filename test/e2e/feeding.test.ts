import type { Day, Feed, FeedPage } from '@pesebre/contract/api/feed'
import type { HorseCard } from '@pesebre/contract/api/horse'
import type { ScheduleAnswer } from '@pesebre/contract/api/schedule'
import type { Stable } from '@pesebre/contract/api/stable'
import { localMinute, minuteOfDay } from '@pesebre/contract/wall-clock'
import t from 'tap'
import { DEMO_PASSWORD, demoEmail } from '../../local/src/demo/seed.ts'
import { webClient } from '../../local/src/demo/web-client.ts'
import { startStack } from '../../local/src/supervisor/stack.ts'
import { until } from '../fakes/until.ts'

/** From a browser's request to the motor of a feeder, and back into the ledger, through every process of the product. */

const timeout = 240_000
t.setTimeout(timeout)

const ZONE = 'Europe/Madrid'
/** Seconds between two portions: as little as a feeder allows. */
const GAP_S = 20

t.test(
  'feed now, by schedule, and across a death of the web server: each once, each known',
  { timeout },
  async (t) => {
    const stack = await startStack({ home: t.testdir(), ports: 'free' })
    t.teardown(() => stack.stop())
    const owner = webClient(stack.web!.url)
    await owner.call('POST', '/api/session', { email: demoEmail('owner'), password: DEMO_PASSWORD })
    const [stable] = await owner.call<Stable[]>('GET', '/api/stables')
    let found: HorseCard[] = []
    const cards = await until(
      'two feeders that are well',
      async () => {
        found = await owner.call<HorseCard[]>('GET', `/api/stables/${stable!.id}/horses`)
        return found.filter(({ feeder }) => feeder?.state === 'ok').length >= 2 && found
      },
      () => found,
    )
    const horse = (name: string) => cards.find((card) => card.horse.name === name)!.horse
    const [sol, mora] = [horse('Sol'), horse('Mora')]
    const feed = (id: string, grams: number, key: string) =>
      owner.call<Feed>('POST', `/api/horses/${id}/feeds`, { grams }, { 'idempotency-key': key })
    const ledger = async (id: string) => (await owner.call<FeedPage>('GET', `/api/horses/${id}/feeds`)).feeds

    await owner.call('PUT', `/api/horses/${sol.id}/limits`, { gap: GAP_S })

    // A meal in the next minute, which the feeder gives by itself.
    const now = Date.now()
    const mealAt = now + (now % 60_000 > 40_000 ? 120_000 : 60_000)
    const minute = minuteOfDay(localMinute(ZONE, mealAt))
    const slots = [{ minute, grams: 150, days: 127 }]
    const wanted = await owner.call<ScheduleAnswer>('PUT', `/api/horses/${mora.id}/schedule`, {
      zone: ZONE,
      slots,
    })
    t.ok(wanted.pending)
    const schedule = () => owner.call<ScheduleAnswer>('GET', `/api/horses/${mora.id}/schedule`)
    await until(
      'the feeder holds its schedule',
      async () => !(await schedule()).pending,
      () => 'pending',
    )

    const first = await feed(sol.id, 120, 'first-feeding')
    t.match(first, { state: 'queued', n: 1 })
    let rows: Feed[] = []
    const done = await until(
      'a feeding that has ended',
      async () => {
        rows = await ledger(sol.id)
        return rows.find(({ ended }) => ended)
      },
      () => rows,
    )
    t.match(done, { id: first.id, state: 'done', planned: 120, actual: 120, by: 'Olga Ortega' })
    const gapIsOver = Date.now() + (GAP_S + 1) * 1000
    const seen = done.states.map(({ state }) => state)
    t.ok(seen[0] === 'queued' && seen.at(-1) === 'done', seen.join(' '))

    // It may be farther away than anything else here may take.
    await new Promise((resolve) => setTimeout(resolve, mealAt - (mealAt % 60_000) - Date.now()))
    let seenDay: Day | undefined
    const day = await until(
      'the meal of the schedule',
      async () => {
        seenDay = await owner.call<Day>('GET', `/api/horses/${mora.id}/day`)
        return seenDay.meals.some(({ minute: at, state }) => at === minute && state === 'done') && seenDay
      },
      () => seenDay,
    )
    t.match(
      day.meals.find(({ minute: at }) => at === minute),
      { source: 'schedule', planned: 150, actual: 150 },
    )

    // The meal's minute may have begun right after the first feeding.
    await new Promise((resolve) => setTimeout(resolve, gapIsOver - Date.now()))
    const second = await feed(sol.id, 130, 'second-feeding')
    const pid = stack.pid('web')!
    process.kill(pid, 'SIGKILL')
    await until(
      'another web server',
      () => stack.pid('web') !== pid && stack.pid('web'),
      () => stack.pid('web'),
    )
    const ended = await until(
      'the second feeding has ended',
      async () => {
        rows = await ledger(sol.id).catch(() => [])
        return rows.find(({ id, ended }) => id === second.id && ended)
      },
      () => rows,
    )
    t.match(ended, { state: 'done', actual: 130 })
    const again = await feed(sol.id, 130, 'second-feeding')
    t.equal(again.id, second.id, 'the same wish, sent once more to the server that came up')
    rows = await ledger(sol.id)
    t.equal(rows.filter(({ source }) => source === 'command').length, 2)
    const shadow = await fetch(`http://127.0.0.1:${stack.ports.iot}/things/${sol.feeder}/shadow`)
    const { state } = (await shadow.json()) as { state: { reported: Record<string, unknown> } }
    t.match(state.reported, { motor_runs: 2, fed_g_today: 250 })
  },
)
