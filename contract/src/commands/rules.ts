/**
 * What may be asked of a feeder, as pure functions from a control shadow to its new `desired` section. Whoever gives
 * commands writes that by compare-and-set (`change.ts`), so that no two givers can overlook each other.
 */
import { COMMAND_NUMBER_MAX, type CommandKind } from '../check-in.ts'
import { type Control, type ControlDesired, mealsOf, type QueuedCommand } from '../control.ts'
import { isEnd, type Standing, standings } from './standing.ts'

/** Most commands kept in the queue, those included whose time has passed. */
export const QUEUE_MAX = 8
/** Most grams in one portion, unless the owner says otherwise: colic is what larger ones cause. */
export const PORTION_MAX = 2_000
/** Least time between two portions, seconds. */
export const GAP_S = 60
/** How long a command is kept after its time, so that people see what became of it, seconds. */
export const KEPT_S = 86_400

/** What somebody wants done. */
export type Wish = {
  kind: CommandKind
  grams: number
  /** Who wants it. */
  by: string
  /** When it may no longer be begun, seconds since 1970. */
  notAfter: number
  /** The giver's own name for this wish: wishing again under the same name gives nothing new. */
  key?: string
}

/** Limits that the giver sets. The device's own are in `config.limits`, and are kept here as well. */
export type Limits = {
  /** Most grams in one portion; default PORTION_MAX. Higher only by the owner's explicit word. */
  portion?: number
  /** Least seconds between two portions; default GAP_S. */
  gap_s?: number
}

/**
 * Why a wish is not granted.
 * - `disabled`: the device is not registered, or was disabled
 * - `open`: another command is still open: `n`
 * - `portion`: above the limit: `max`, grams
 * - `gap`: too soon after the last portion: `wait_s`
 * - `expired`: its time is past
 * - `full`: the queue has QUEUE_MAX commands whose time is not past
 * - `missing`: there is no such command to take back
 * - `ended`: the command that was to be taken back has ended: `state`
 * - `sent`: the command that was to be replaced has been handed out: `n`
 * - `exhausted`: no command numbers are left
 */
export type Refusal =
  | { reason: 'disabled' | 'expired' | 'full' | 'missing' | 'exhausted' }
  | { reason: 'open' | 'sent'; n: number }
  | { reason: 'portion'; max: number }
  | { reason: 'gap'; wait_s: number }
  | { reason: 'ended'; state: Standing['state'] }

/** A new `desired` section (undefined: it stays as it is) and the command it is about, or why not. */
export type Change =
  | { ok: true; desired: ControlDesired | undefined; command: QueuedCommand }
  | { ok: false; refusal: Refusal }

/**
 * Gives a command.
 * @param now milliseconds since 1970
 */
export function give(
  control: Control,
  wish: Wish,
  { now, limits = {} }: { now: number; limits?: Limits },
): Change {
  const { desired } = control
  if (!desired.enabled) return refuse({ reason: 'disabled' })
  const given = givenAs(wish, desired)
  if (given !== undefined) return { ok: true, desired: undefined, command: given }
  const max = Math.min(
    limits.portion ?? PORTION_MAX,
    desired.config?.limits?.portion ?? Number.POSITIVE_INFINITY,
  )
  if (!(Number.isInteger(wish.grams) && wish.grams > 0 && wish.grams <= max))
    return refuse({ reason: 'portion', max })
  if (wish.notAfter * 1000 <= now) return refuse({ reason: 'expired' })
  const standing = standings(control, now)
  const open = standing.find((each) => isOpen(each, now))
  if (open !== undefined) return refuse({ reason: 'open', n: open.n })
  const wait_s = waitOf(control, standing, { now, gap_s: gapOf(control, limits) })
  if (wait_s > 0) return refuse({ reason: 'gap', wait_s })
  const swept = sweep(control, now)
  const queue = swept.queue.length < QUEUE_MAX ? swept.queue : withoutOldest(swept.queue, now)
  if (queue.length >= QUEUE_MAX) return refuse({ reason: 'full' })
  const n = nextOf(control)
  if (n > COMMAND_NUMBER_MAX) return refuse({ reason: 'exhausted' })
  const command: QueuedCommand = { n, ...wish, at: Math.floor(now / 1000) }
  return { ok: true, desired: { ...swept, queue: [...queue, command], next: n + 1 }, command }
}

/**
 * Takes a command back: no gateway hands it out any more. If one has done so already, or does at this moment, it may
 * still run; how it ends is seen in its standing. Until its time is past it stays open.
 */
export function cancel(control: Control, n: number, now: number): Change {
  const standing = standings(control, now).find((each) => each.n === n)
  const command = control.desired.queue.find((each) => each.n === n)
  if (command === undefined || standing === undefined)
    return refuse(standing === undefined ? { reason: 'missing' } : { reason: 'ended', state: standing.state })
  if (isEnd(standing.state)) return refuse({ reason: 'ended', state: standing.state })
  const swept = sweep(control, now)
  const cancelled = [...(swept.cancelled ?? []), { ...command, cancelled: Math.floor(now / 1000) }]
  return {
    ok: true,
    desired: {
      ...swept,
      queue: swept.queue.filter((each) => each.n !== n),
      cancelled: cancelled.slice(-QUEUE_MAX),
    },
    command,
  }
}

/**
 * Gives a command in place of the one that waits, in one step. Refused once that one is known to have been handed out: then
 * both could run.
 */
export function supersede(
  control: Control,
  wish: Wish,
  { now, limits = {} }: { now: number; limits?: Limits },
): Change {
  const open = standings(control, now).find((each) => isOpen(each, now))
  if (open === undefined || givenAs(wish, control.desired)) return give(control, wish, { now, limits })
  if (open.state !== 'queued') return refuse({ reason: 'sent', n: open.n })
  const cancelled = cancel(control, open.n, now)
  if (!cancelled.ok || cancelled.desired === undefined) return cancelled
  return give({ ...control, desired: cancelled.desired }, wish, { now, limits })
}

/** Drops commands of which nothing more is to be heard: the device has said their end, or their time is long past. */
export function sweep({ desired, reported }: Control, now: number): ControlDesired {
  const ended = new Set(
    (reported.outcomes?.items ?? []).filter(({ state }) => isEnd(state)).map(({ n }) => n),
  )
  const isKept = ({ n, notAfter }: QueuedCommand): boolean =>
    !ended.has(n) && now <= (notAfter + KEPT_S) * 1000
  return {
    ...desired,
    queue: desired.queue.filter(isKept),
    ...(desired.cancelled && { cancelled: desired.cancelled.filter(isKept) }),
  }
}

/** The command that this very wish became before. One that was taken back is not given again, either. */
function givenAs({ key }: Wish, { queue, cancelled = [] }: ControlDesired): QueuedCommand | undefined {
  return key === undefined ? undefined : [...queue, ...cancelled].find((each) => each.key === key)
}

/** Whether it may still run, or be running: while it is, no other is given. */
function isOpen({ state, given }: Standing, now: number): boolean {
  if (isEnd(state)) return false
  return state !== 'queued' || given === undefined || now <= given.notAfter * 1000
}

/** Seconds until the next portion may be given. Whatever has moved the motor counts, and what was about to; meals of the schedule, too. */
function waitOf(
  { reported }: Control,
  standing: readonly Standing[],
  { now, gap_s }: { now: number; gap_s: number },
): number {
  const last = [...standing, ...mealsOf(reported)].reduce(
    (latest, { state, at = 0 }) =>
      state === 'refused' || state === 'expired' || state === 'cancelled' ? latest : Math.max(latest, at),
    0,
  )
  return Math.ceil((last + gap_s * 1000 - now) / 1000)
}

function gapOf({ desired }: Control, { gap_s = GAP_S }: Limits): number {
  return Math.max(gap_s, desired.config?.limits?.gap_s ?? 0)
}

/** The number that the next command gets: higher than any ever given or heard of, even if somebody has spoilt `next`. */
export function nextOf({ desired, reported }: Control): number {
  const known = [...desired.queue, ...(desired.cancelled ?? [])].map(({ n }) => n)
  return Math.max(
    desired.next ?? 1,
    (reported.outcomes?.last ?? 0) + 1,
    (reported.sent ?? 0) + 1,
    ...known.map((n) => n + 1),
  )
}

/** Room for one more, at the cost of the oldest whose time is past. */
function withoutOldest(queue: readonly QueuedCommand[], now: number): QueuedCommand[] {
  const oldest = queue.find(({ notAfter }) => notAfter * 1000 <= now)
  return queue.filter((each) => each !== oldest)
}

function refuse(refusal: Refusal): Change {
  return { ok: false, refusal }
}
