import {
  type Change,
  cancel as cancelRule,
  give as giveRule,
  type Limits,
  nextOf,
  type Wish,
} from '@pesebre/contract/commands/rules'
import { CONTROL_SHADOW, type Control, readControl } from '@pesebre/contract/control'
import type { Shadows } from '../iot/shadows.ts'
import { type Caps, capsOf, type HorseLimits, leftNow } from './caps.ts'
import { type Follower, isTaken, notGiven, WRITE_MS } from './follow.ts'
import { keyHashOf, type Ledger } from './ledger.ts'
import { mealsBetween } from './plan.ts'
import { type FeedRow, gramsOf, isEnded, NOT_GIVEN } from './timeline.ts'

/** Why a person is not given what they ask for: see FEED_REFUSALS of the API. */
export type FeedingRefusal = {
  readonly reason: string
  /** Of `portion` and `override`: most grams. */
  readonly max?: number
  /** Of `daily`: grams that are left. */
  readonly left?: number
  /** Of `gap`: seconds. */
  readonly wait?: number
  /** Of `open`: the command. */
  readonly n?: number
  /** Of `ended`: how. */
  readonly state?: string
}

export type FeedingResult =
  | { readonly ok: true; readonly row: FeedRow; readonly isNew: boolean }
  | { readonly ok: false; readonly refusal: FeedingRefusal }

export type FeedWish = {
  readonly thing: string
  readonly horse: HorseLimits & { readonly id: string; readonly stable_id: string }
  readonly grams: number
  /** The owner's explicit word that it may be more than the cap. */
  readonly override: boolean
  readonly user: { readonly id: string; readonly name: string; readonly isOwner: boolean }
  /** Idempotency-Key. */
  readonly key: string
}

export type GiverOptions = {
  readonly ledger: Ledger
  readonly shadows: Pick<Shadows, 'read' | 'changeControl'>
  readonly follower: Pick<Follower, 'expect' | 'hear' | 'latest'>
  readonly now: () => number
}

/** How long a command may be begun: this, or two check-ins of the device, whichever is longer; seconds. */
const VALID_S = 600
/** Another server was faster, so often: more is a fault. */
const TRIES_MAX = 5
const DAY_MS = 86_400_000

/**
 * Gives commands to feeders, and takes them back. What a person asks for is in the ledger before the feeder can hear of it, under the
 * command's number, and in the control shadow under the row's id: so whatever stops in between, the two find each other again, and a
 * wish that is sent twice is given once.
 */
export function createGiver({ ledger, shadows, follower, now }: GiverOptions) {
  /** @throws what AWS says when it is not known whether the command was given: the same wish may be sent again */
  async function give(wish: FeedWish): Promise<FeedingResult> {
    const known = await ledger.byKey(keyHashOf(wish.user.id, wish.key))
    if (known !== undefined) return again(known, wish)
    for (let attempt = 1; attempt <= TRIES_MAX; attempt++) {
      const [document, interval] = await Promise.all([
        shadows.read(wish.thing, CONTROL_SHADOW),
        intervalOf(wish.thing),
      ])
      if (document === undefined) return refuse({ reason: 'disabled' })
      const control = readControl(document.state)
      const caps = capsOf(wish.horse, control.desired.config)
      const refusal = overCap(wish, caps) ?? (await overDay(wish, { caps, control }))
      if (refusal !== undefined) return refuse(refusal)
      const at = now()
      const id = ledger.newId()
      const notAfter = Math.ceil(at / 1000 + Math.max(VALID_S, 2 * interval)) * 1000
      const command = commandOf({ id, planned_g: wish.grams, user_name: wish.user.name, not_after: notAfter })
      const change = giveRule(control, command, { now: at, limits: limitsOf(caps) })
      if (!change.ok) return refuse(refusalOf(change))
      const intended = await ledger.intend({
        id,
        thing: wish.thing,
        horse_id: wish.horse.id,
        stable_id: wish.horse.stable_id,
        source: 'command',
        n: change.command.n,
        planned_g: wish.grams,
        state: 'queued',
        override: wish.grams > caps.portion ? 1 : 0,
        user_id: wish.user.id,
        user_name: wish.user.name,
        at,
        not_after: notAfter,
        states: JSON.stringify([{ state: 'queued', at }]),
        key_hash: keyHashOf(wish.user.id, wish.key),
      })
      if (intended.kind === 'known') return again(intended.row, wish)
      // Another server has just written the same number down: its command is open, or is about to be.
      if (intended.kind === 'taken') continue
      return place(intended.row, wish)
    }
    return refuse({ reason: 'open' })
  }

  /** Puts the command of a row into the control shadow, under the very number of the row, or not at all. */
  async function place(row: FeedRow, { horse }: FeedWish): Promise<FeedingResult> {
    follower.expect(row)
    const { change } = await shadows.changeControl(row.thing, (control) => {
      const time = now()
      // Later, others may take it for one that was never given.
      if (time > row.at + WRITE_MS / 2) throw new Error(`Cannot give command ${row.n} in time: ${row.thing}`)
      const isOvertaken = !hasKey(control, row.id) && nextOf(control) !== row.n
      const change: Change = isOvertaken
        ? { ok: false, refusal: { reason: 'open', n: nextOf(control) - 1 } }
        : giveRule(control, commandOf(row), {
            now: time,
            limits: limitsOf(capsOf(horse, control.desired.config)),
          })
      return { desired: change.ok ? change.desired : undefined, change }
    })
    if (change.ok) return { ok: true, row, isNew: true }
    await ledger.end(notGiven(row, now()))
    return refuse(refusalOf(change))
  }

  /** The same wish once more: the same feeding. One that got stuck on its way to the feeder is given now, if it is not too late. */
  async function again(known: FeedRow, wish: FeedWish): Promise<FeedingResult> {
    const { thing, grams } = wish
    if (known.thing !== thing || known.planned_g !== grams) return refuse({ reason: 'key' })
    if (known.reason === NOT_GIVEN) return refuse({ reason: NOT_GIVEN })
    const row = follower.latest(known)
    if (row.state !== 'queued') return { ok: true, row, isNew: false }
    const document = await shadows.read(thing, CONTROL_SHADOW)
    const control = readControl(document?.state)
    if (isTaken(row, control)) return refuse({ reason: NOT_GIVEN })
    if (hasKey(control, row.id) || nextOf(control) > (row.n ?? 0)) return { ok: true, row, isNew: false }
    return now() > row.at + WRITE_MS / 2 ? refuse({ reason: NOT_GIVEN }) : place(row, wish)
  }

  async function overDay(
    { horse, grams }: FeedWish,
    { caps, control }: { caps: Caps; control: Control },
  ): Promise<FeedingRefusal | undefined> {
    const left = await leftOf(horse.id, { caps, control })
    return grams > left ? { reason: 'daily', left } : undefined
  }

  /** What a horse may still get now, grams. */
  async function leftOf(horse: string, { caps, control }: { caps: Caps; control: Control }): Promise<number> {
    const time = now()
    const rows = await ledger.between({ horse }, time - DAY_MS, time)
    const given = rows.map((row) => ({ at: row.at, grams: gramsOf(follower.latest(row)) }))
    const planned = mealsBetween(control.desired.config ?? {}, time, time + DAY_MS)
    return leftNow(caps.daily, { given, planned, now: time })
  }

  /** What the feeder promised, seconds; 0 when nobody knows. */
  async function intervalOf(thing: string): Promise<number> {
    const document = await shadows.read(thing).catch(() => undefined)
    const { reported } = (document?.state ?? {}) as { reported?: { link?: { interval_s?: unknown } } }
    const interval = reported?.link?.interval_s
    return typeof interval === 'number' && interval > 0 ? interval : 0
  }

  /** Takes a command back. It may run all the same, if it was handed out before. */
  async function cancel(thing: string, n: number): Promise<FeedingResult> {
    const { change } = await shadows.changeControl(thing, (control) => {
      const change = cancelRule(control, n, now())
      return { desired: change.ok ? change.desired : undefined, change }
    })
    // What was just written comes by MQTT as well; who asked wants to see it now.
    const document = await shadows.read(thing, CONTROL_SHADOW)
    if (document !== undefined) await follower.hear(thing, document)
    const row = await ledger.byNumber(thing, n)
    if (change.ok && row !== undefined) return { ok: true, row: follower.latest(row), isNew: true }
    if (!change.ok && change.refusal.reason === 'ended')
      return refuse({ reason: 'ended', state: change.refusal.state })
    return refuse(
      row !== undefined && isEnded(row.state) ? { reason: 'ended', state: row.state } : { reason: 'missing' },
    )
  }

  return { give, cancel, leftOf }
}

export type Giver = ReturnType<typeof createGiver>

function overCap({ grams, override, user }: FeedWish, { portion, hard }: Caps): FeedingRefusal | undefined {
  if (grams > hard) return { reason: 'portion', max: hard }
  if (grams <= portion || (override && user.isOwner)) return undefined
  return { reason: user.isOwner ? 'override' : 'portion', max: portion }
}

function commandOf({
  id,
  planned_g,
  user_name,
  not_after,
}: Pick<FeedRow, 'id' | 'planned_g' | 'user_name' | 'not_after'>): Wish {
  return {
    kind: 'feed',
    grams: planned_g ?? 0,
    by: user_name ?? '',
    notAfter: (not_after ?? 0) / 1000,
    key: id,
  }
}

function limitsOf({ hard, gap }: Caps): Limits {
  return { portion: hard, gap_s: gap }
}

function hasKey({ desired }: Control, key: string): boolean {
  return [...desired.queue, ...(desired.cancelled ?? [])].some((command) => command.key === key)
}

function refusalOf(change: Extract<Change, { ok: false }>): FeedingRefusal {
  const { refusal } = change
  switch (refusal.reason) {
    case 'gap':
      return { reason: 'gap', wait: refusal.wait_s }
    case 'sent':
      return { reason: 'open', n: refusal.n }
    default:
      return refusal
  }
}

function refuse(refusal: FeedingRefusal): FeedingResult {
  return { ok: false, refusal }
}
