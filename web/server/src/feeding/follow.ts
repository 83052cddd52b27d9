import { nextOf } from '@pesebre/contract/commands/rules'
import { type Standing, standings } from '@pesebre/contract/commands/standing'
import { CONTROL_SHADOW, type Control, mealsOf, NO_CONTROL, readControl } from '@pesebre/contract/control'
import type { Shadows } from '../iot/shadows.ts'
import { idOf, type Ledger } from './ledger.ts'
import { mealRow } from './meals.ts'
import { advance, type FeedRow, isEnded, isSettled, NOT_GIVEN } from './timeline.ts'

/** Follows what feeders say of commands and meals, by their control shadows, into the ledger. */
export type Follower = {
  /** A wish that was written down: from now on its command is looked for. */
  expect(row: FeedRow): void
  /** A control shadow as it stands; older versions than one that was heard are left aside. Resolves when the ledger has it. */
  hear(thing: string, document: { version: number; state: unknown }): Promise<void>
  /** Reads every feeder's shadow again: after a start, and when messages may have been missed. */
  reconcile(): Promise<void>
  /** What the clock alone decides: expired, unknown. */
  tick(): Promise<void>
  /** A meal that somebody else has brought into the ledger: the archive's index. */
  told(row: FeedRow): void
  /** A row as far as it has come: the database learns of the way only at its end. */
  latest(row: FeedRow): FeedRow
  /** Feedings that are going on, of this feeder. */
  going(thing: string): FeedRow[]
  /** The last control shadow that was heard; undefined: none yet. */
  control(thing: string): Control | undefined
}

export type FollowerOptions = {
  readonly ledger: Pick<Ledger, 'add' | 'end' | 'open'>
  readonly shadows: Pick<Shadows, 'read'>
  /** Registered feeders. */
  readonly feeders: () => Promise<readonly string[]>
  readonly now: () => number
  /** Told of every state of every feeding. The last one of each is told after the ledger has it. */
  readonly onFeed: (row: FeedRow) => void
  readonly onError: (error: unknown) => void
}

type Feeder = {
  version: number
  control: Control
  /** Commands of which something may still be heard, by number. */
  readonly open: Map<number, FeedRow>
  /** Commands that are settled: those below are not looked at any more. */
  readonly settled: Set<number>
  /** Meals that the ledger has, by occurrence; and those that are going on. */
  readonly eaten: Set<number>
  readonly eating: Map<number, FeedRow>
  /** One document after the other. */
  turn: Promise<unknown>
}

/** A word may come so long after a command's time, milliseconds: the device keeps it until it is confirmed. */
const HEARD_MS = 86_400_000
/** A wish whose command cannot be found is given this long: its server may be about to write it, milliseconds. */
export const WRITE_MS = 30_000
/** Numbers remembered per feeder. More than a control shadow holds. */
const REMEMBERED = 64
const READS_AT_ONCE = 8

export function createFollower(options: FollowerOptions): Follower {
  const { ledger, shadows, now, onFeed, onError } = options
  const feeders = new Map<string, Feeder>()

  function feederOf(thing: string): Feeder {
    const known = feeders.get(thing)
    if (known !== undefined) return known
    const feeder: Feeder = {
      version: 0,
      control: NO_CONTROL,
      open: new Map(),
      settled: new Set(),
      eaten: new Set(),
      eating: new Map(),
      turn: Promise.resolve(),
    }
    feeders.set(thing, feeder)
    return feeder
  }

  /** Work on one feeder, after what is under way for it. */
  function inTurn(feeder: Feeder, work: () => Promise<void>): Promise<void> {
    const turn = feeder.turn.then(work)
    feeder.turn = turn.catch(() => undefined)
    return turn
  }

  function expect(row: FeedRow): void {
    if (row.n !== null) feederOf(row.thing).open.set(row.n, row)
  }

  function hear(thing: string, { version, state }: { version: number; state: unknown }): Promise<void> {
    const feeder = feederOf(thing)
    return inTurn(feeder, async () => {
      if (version < feeder.version) return
      feeder.version = version
      feeder.control = readControl(state)
      await follow(thing, feeder)
    })
  }

  /** @param isFresh the shadow has just been read: what it does not say, it does not hold */
  async function follow(thing: string, feeder: Feeder, isFresh = false): Promise<void> {
    const known = new Map(standings(feeder.control, now()).map((standing) => [standing.n, standing]))
    const words = [...feeder.open].map(([n, row]) => ({
      n,
      row,
      next: wordOn(row, known.get(n), feeder.control),
    }))
    if (!isFresh && words.some(({ row, next }) => next !== row && isClockWord(next))) {
      // What the clock says holds only if nothing else has been said meanwhile: messages may be late, or lost.
      await refresh(thing, feeder)
      return follow(thing, feeder, true)
    }
    for (const { n, row, next } of words) {
      if (next !== row) await put(feeder, n, next)
      else if (isSettled(row) || now() > (row.not_after ?? row.at) + HEARD_MS) settle(feeder, n)
    }
    const news = [...known.values()].filter(({ n }) => !feeder.open.has(n) && !feeder.settled.has(n))
    for (const standing of news) await adopt(thing, feeder, standing)
    if (news.length > 0) return follow(thing, feeder, isFresh)
    await followMeals(thing, feeder)
  }

  async function refresh(thing: string, feeder: Feeder): Promise<void> {
    const document = await shadows.read(thing, CONTROL_SHADOW)
    if (document === undefined || document.version < feeder.version) return
    feeder.version = document.version
    feeder.control = readControl(document.state)
  }

  /** A command that nobody asked for here: from the command line, from another server, from before a start. */
  async function adopt(thing: string, feeder: Feeder, { n, given, state, at }: Standing): Promise<void> {
    const asked = given === undefined ? (at ?? now()) : given.at * 1000
    const { row, isNew } = await ledger.add({
      id: idOf(thing, `n${n}`),
      thing,
      source: 'command',
      n,
      planned_g: given?.grams ?? null,
      // Not its end yet: that follows, with its grams.
      state: 'queued',
      user_name: given?.by ?? null,
      at: asked,
      not_after: given === undefined ? null : given.notAfter * 1000,
      states: JSON.stringify([{ state: 'queued', at: asked }]),
    })
    feeder.open.set(n, row)
    if (isNew && !isEnded(state)) onFeed(row)
  }

  /** A row after what the shadow, and the clock, say of it. */
  function wordOn(row: FeedRow, standing: Standing | undefined, control: Control): FeedRow {
    const time = now()
    const isAbsent = standing === undefined && nextOf(control) <= (row.n ?? 0) && time > row.at + WRITE_MS
    // Its server stopped before it gave the command, or somebody else took the number.
    if (isTaken(row, control) || isAbsent) return notGiven(row, time)
    if (standing !== undefined) return advance(row, standing, time)
    // It was swept away by somebody, and with it the device's word.
    const isOver = time > (row.not_after ?? row.at) + WRITE_MS
    return isOver ? advance(row, { n: row.n ?? 0, state: 'unknown' }, time) : row
  }

  async function put(feeder: Feeder, n: number, row: FeedRow): Promise<void> {
    if (isEnded(row.state)) await ledger.end(row)
    if (row.n !== n) feeder.open.delete(n)
    else if (isSettled(row)) settle(feeder, n)
    else feeder.open.set(n, row)
    onFeed(row)
  }

  function settle(feeder: Feeder, n: number): void {
    feeder.open.delete(n)
    remember(feeder.settled, n)
  }

  async function followMeals(thing: string, feeder: Feeder): Promise<void> {
    for (const meal of mealsOf(feeder.control.reported)) {
      if (feeder.eaten.has(meal.occurrence)) continue
      const before = feeder.eating.get(meal.occurrence)
      const row = mealRow({ thing, meal, config: feeder.control.desired.config, before })
      if (row === before) continue
      if (!isEnded(row.state)) {
        feeder.eating.set(meal.occurrence, row)
        onFeed(row)
        continue
      }
      const written = await ledger.add(row)
      feeder.eating.delete(meal.occurrence)
      remember(feeder.eaten, meal.occurrence)
      if (written.isNew) onFeed(written.row)
    }
  }

  function told(row: FeedRow): void {
    const { eaten, eating } = feederOf(row.thing)
    const occurrence = Number(row.occurrence)
    eating.delete(occurrence)
    remember(eaten, occurrence)
    onFeed(row)
  }

  async function tick(): Promise<void> {
    await Promise.all(
      [...feeders].map(([thing, feeder]) =>
        feeder.open.size === 0
          ? undefined
          : inTurn(feeder, () => follow(thing, feeder)).catch((error: unknown) => onError(error)),
      ),
    )
  }

  async function reconcile(): Promise<void> {
    for (const row of await ledger.open(now() - HEARD_MS)) {
      const feeder = feederOf(row.thing)
      if (row.n !== null && !feeder.open.has(row.n)) feeder.open.set(row.n, row)
    }
    const things = new Set([...(await options.feeders()), ...feeders.keys()])
    const queue = [...things]
    const readers = Array.from({ length: READS_AT_ONCE }, async () => {
      for (let thing = queue.shift(); thing !== undefined; thing = queue.shift()) {
        const document = await shadows.read(thing, CONTROL_SHADOW)
        // A shadow that was deleted begins again at any version.
        if (document !== undefined) await hear(thing, document)
      }
    })
    const failed = (await Promise.allSettled(readers)).find(({ status }) => status === 'rejected')
    if (failed?.status === 'rejected') throw failed.reason
  }

  return {
    expect,
    hear,
    reconcile,
    tick,
    told,
    latest: (row) => (row.n === null ? row : (feeders.get(row.thing)?.open.get(row.n) ?? row)),
    going: (thing) => {
      const { open, eating } = feederOf(thing)
      return [...open.values(), ...eating.values()].filter(({ state }) => !isEnded(state))
    },
    control: (thing) => {
      const feeder = feeders.get(thing)
      return feeder === undefined || feeder.version === 0 ? undefined : feeder.control
    },
  }
}

/** Whether the server says it by itself, not the feeder. */
function isClockWord({ state, reason }: FeedRow): boolean {
  return state === 'unknown' || state === 'expired' || reason === NOT_GIVEN
}

/** Whether somebody else's command has the number that this row was written down with. */
export function isTaken({ id, n, key_hash }: FeedRow, { desired }: Control): boolean {
  const command = [...desired.queue, ...(desired.cancelled ?? [])].find((each) => each.n === n)
  return command !== undefined && command.key !== id && key_hash !== null
}

/** Nobody was fed by it, and its number is free. */
export function notGiven(row: FeedRow, now: number): FeedRow {
  const states = [...(JSON.parse(row.states) as object[]), { state: 'cancelled', at: now }]
  return {
    ...row,
    n: null,
    state: 'cancelled',
    reason: NOT_GIVEN,
    states: JSON.stringify(states),
    updated_at: now,
  }
}

function remember(numbers: Set<number>, number: number): void {
  numbers.add(number)
  const [oldest] = numbers
  if (numbers.size > REMEMBERED && oldest !== undefined) numbers.delete(oldest)
}
