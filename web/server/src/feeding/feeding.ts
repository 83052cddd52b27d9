import type { Day, FeedPage } from '@pesebre/contract/api/feed'
import type { MealSummary } from '@pesebre/contract/api/horse'
import type { LiveEvent } from '@pesebre/contract/api/live'
import { GAP_S } from '@pesebre/contract/commands/rules'
import type { Control } from '@pesebre/contract/control'
import { dateOf, localMinute } from '@pesebre/contract/wall-clock'
import type { FastifyBaseLogger } from 'fastify'
import type { Database } from '../db/database.ts'
import type { MealOf } from '../history/meals.ts'
import type { Shadows } from '../iot/shadows.ts'
import { Problem } from '../problems.ts'
import { boundsOf, dayOf, mealsOf } from './day.ts'
import { createPlaces, type FedHorse, fedHorse } from './feeders.ts'
import { createFollower } from './follow.ts'
import { createGiver, type FeedingResult, type FeedWish } from './give.ts'
import { openLedger } from './ledger.ts'
import { createMissedWatch, type Missed } from './missed.ts'
import { nextMeal } from './plan.ts'
import { openSchedules } from './schedules.ts'
import { createSettings } from './settings.ts'
import { type FeedRow, feedOf } from './timeline.ts'

export type FeedingOptions = {
  readonly db: Database
  readonly shadows: Pick<Shadows, 'read' | 'changeControl'>
  readonly now: () => number
  readonly log: Pick<FastifyBaseLogger, 'warn'>
  /** To the browsers. */
  readonly publish: (event: LiveEvent, stable: string) => void
  /** Told of each state of each feeding, and of each meal that was missed: alarms. */
  readonly onFeed?: (row: FeedRow) => void
  readonly onMissed?: (missed: Missed) => Promise<void>
}

/** A word of a meal may lie on the other side of midnight. */
const SLACK_MS = 3 * 3_600_000

/** Everything that the server knows of feeding, put together. It does nothing by itself before `start`. */
export function openFeeding({ db, shadows, now, log, publish, onFeed, onMissed }: FeedingOptions) {
  const ledger = openLedger(db)
  const schedules = openSchedules(db)
  const places = createPlaces(db, now)
  const onError = (error: unknown): void => log.warn({ err: error }, 'feeding cannot be followed')

  const follower = createFollower({
    ledger,
    shadows,
    now,
    onError,
    feeders: async () =>
      [...(await places.all()).values()].filter(({ kind }) => kind === 'feeder').map(({ thing }) => thing),
    onFeed: heard,
  })
  const giver = createGiver({ ledger, shadows, follower, now })
  const settings = createSettings({ db, shadows, now, leftOf: giver.leftOf })
  const watch = createMissedWatch({
    ledger,
    schedules,
    now,
    onMissed: async (missed) => onMissed?.(missed),
  })

  function heard(row: FeedRow): void {
    onFeed?.(row)
    void tell(row).catch(onError)
  }

  /** @throws what AWS says when it is not known whether the command was given: the same wish may be sent again */
  async function give(wish: FeedWish): Promise<FeedingResult> {
    const result = await giver.give(wish)
    // Every browser sees it wait, not only the one that asked.
    if (result.ok && result.isNew) heard(follower.latest(result.row))
    return result
  }

  async function tell(row: FeedRow): Promise<void> {
    const place = await places.of(row.thing)
    const [stable, horse] = [row.stable_id ?? place?.stable, row.horse_id ?? place?.horse?.id]
    if (stable && horse) publish({ kind: 'feed', stable, horse, feed: feedOf(row) }, stable)
  }

  /** A page of the ledger: what is going on now comes first, as far as it has come. */
  async function page(horse: string, before: string | undefined, limit: number): Promise<FeedPage> {
    const rows = await ledger.page(horse, before, limit)
    const last = rows.at(-1)
    const thing = before === undefined ? await feederOf(horse) : undefined
    const eating = thing === undefined ? [] : follower.going(thing).filter(({ n }) => n === null)
    const feeds = [...eating, ...rows.map((row) => follower.latest(row))].map(feedOf)
    return { feeds, ...(last && rows.length === limit && { before: `${last.at}.${last.id}` }) }
  }

  async function feederOf(horse: string): Promise<string | undefined> {
    for (const place of (await places.all()).values())
      if (place.kind === 'feeder' && place.horse?.id === horse) return place.thing
    return undefined
  }

  async function day(horse: FedHorse, asked: string | undefined): Promise<Day> {
    const control = horse.feeder === null ? undefined : await settings.read(horse.feeder)
    const zone = control?.desired.config?.zone ?? horse.zone
    const date = asked ?? dateOf(localMinute(zone, now()))
    const { from, to } = boundsOf(zone, date)
    if (Number.isNaN(from))
      throw new Problem('invalid', { errors: [{ path: '/date', message: 'is no day of the calendar' }] })
    if (horse.feeder !== null && control !== undefined) await schedules.note(horse.feeder, control, now())
    const wanted = horse.feeder === null ? [] : await schedules.of(horse.feeder)
    const rows = await ledger.between({ horse: horse.id }, from - SLACK_MS, to + SLACK_MS)
    const isOfDay = ({ source, local_date, at }: FeedRow): boolean =>
      source === 'schedule' ? local_date === date : at > from && at <= to
    const eating = horse.feeder === null ? [] : follower.going(horse.feeder).filter(({ n }) => n === null)
    return dayOf({
      date,
      zone,
      planned: mealsOf(wanted, from, to),
      rows: [...rows.map((row) => follower.latest(row)), ...eating].filter(isOfDay),
      now: now(),
      gapS: control?.desired.config?.limits?.gap_s ?? GAP_S,
    })
  }

  /** The last meal and the next one, for the cards. */
  async function meals(horses: readonly string[]) {
    const found = new Map<string, { last: MealSummary | null; next: MealSummary | null }>()
    const last = new Map((await ledger.lastOf(horses)).map((row) => [row.horse_id, row]))
    const all = [...(await places.all()).values()]
    for (const horse of horses) {
      const feeder = all.find((place) => place.kind === 'feeder' && place.horse?.id === horse)
      const control = feeder && follower.control(feeder.thing)
      const next = control?.desired.config && nextMeal(control.desired.config, now())
      const row = last.get(horse)
      found.set(horse, {
        last: row === undefined ? null : summaryOf(follower.latest(row)),
        next: next
          ? { at: next.at, grams: null, planned: next.grams, state: 'planned', source: 'schedule' }
          : null,
      })
    }
    return found
  }

  /** A control shadow that was heard. */
  async function hear(thing: string, document: { version: number; state: unknown }): Promise<void> {
    if ((await places.of(thing))?.kind !== 'feeder') return
    await follower.hear(thing, document)
  }

  /** Meals that the archive's index has brought into the ledger. */
  async function told(meals: readonly MealOf[]): Promise<void> {
    for (const { thing, occurrence } of meals) {
      const row = await ledger.byOccurrence(thing, occurrence)
      if (row !== undefined) follower.told(row)
    }
  }

  /** At which horse each feeder was seen last. */
  const seenAt = new Map<string, string | undefined>()

  /** A feeder that was moved must not go by the limits of the horse before. */
  async function followMoves(): Promise<void> {
    for (const { thing, kind, horse } of (await places.all()).values()) {
      if (kind !== 'feeder') continue
      const [isKnown, before] = [seenAt.has(thing), seenAt.get(thing)]
      if (isKnown && horse !== null && before !== horse.id) {
        const now = await fedHorse(db, horse.id)
        if (now?.feeder === thing) await settings.takeLimitsOf({ ...now, feeder: thing })
      }
      seenAt.set(thing, horse?.id)
    }
  }

  /** Reads every feeder's shadow, and sees that the clock on its wall goes right for the next weeks. */
  async function reconcile(): Promise<void> {
    await follower.reconcile()
    for (const { thing, kind } of (await places.all()).values()) {
      const control = kind === 'feeder' ? follower.control(thing) : undefined
      if (control !== undefined) await settings.keepRule(thing, control).catch(onError)
    }
  }

  /** What the clock decides: ends that nobody told of, and missed meals. */
  async function tick(): Promise<void> {
    await followMoves()
    await follower.tick()
    for (const { thing, kind } of (await places.all()).values()) {
      const control: Control | undefined = kind === 'feeder' ? follower.control(thing) : undefined
      if (control !== undefined) await watch.look(thing, control)
    }
  }

  return {
    give,
    cancel: giver.cancel,
    settings,
    page,
    day,
    meals,
    hear,
    told,
    tick,
    reconcile,
    /** Devices were registered, or moved. */
    forgetPlaces: places.forget,
    places,
    control: follower.control,
    going: follower.going,
  }
}

export type Feeding = ReturnType<typeof openFeeding>

function summaryOf(row: FeedRow): MealSummary {
  return {
    at: row.at,
    grams: row.actual_g,
    planned: row.planned_g,
    state: row.state,
    source: row.source,
  }
}
