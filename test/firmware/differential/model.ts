/**
 * The feeding machine (design/feeding.md, F1 to F9) once more, from the design and not from firmware/core/feed.c: lists and maps where
 * that one has bytes. Times in seconds since 1970, 0: no clock.
 */

/** Minutes that a meal may be late (F1; a clock change skips an hour at most). */
const MEAL_LATE_MAX = 120
const RING = 8
const MEALS_KEPT = 48
const TOLD_MAX = 8
/** Hours that count against a day: the one that runs, and the 24 before it. */
const HOURS = 25
const GRAMS_MAX = 0xffff

export type End = 'done' | 'partial' | 'jammed' | 'refused' | 'interrupted' | 'expired'
export type Reason = 'expired' | 'portion' | 'daily' | 'gap' | 'battery' | 'latched' | 'no_time'
export type Outcome = {
  id: number
  isMeal: boolean
  state: End
  at: number
  grams?: number
  reason?: Reason
  isConfirmed: boolean
}
export type Order = {
  id: number
  isMeal: boolean
  state: 'accepted' | 'dispensing'
  grams: number
  notAfter: number
  at: number
}
/** What an uplink says of one order. */
export type Told = { id: number; isMeal: boolean; state: End | Order['state'] }
export type Limits = { portion: number; daily: number; gap: number }
export type Scene = { now: number; battery: number; limits: Limits }
export type Slot = { minute: number; grams: number; days: number }
export type Decision = 'decided' | 'repeated' | 'stale' | 'busy'

export type Model = ReturnType<typeof createModel>

/** @param compiled what the cloud may lower and never exceed (F5) */
export function createModel(compiled: Limits & { batteryMin: number }) {
  const model = {
    active: undefined as Order | undefined,
    isLatched: false,
    highWater: 0,
    lastOccurrence: 0,
    lastAt: 0,
    runs: 0,
    jams: 0,
    outcomes: [] as Outcome[],
    /** Grams by the hour, those given and those reserved; none is older than 24 hours before the newest. */
    hours: new Map<number, number>(),
    newestHour: 0,
  }

  function gramsOfDay(now: number): number {
    // Those that a clock which was set back has in its future count, too (F8).
    const counted = [...model.hours].filter(([hour]) => hour > hourOf(now) - HOURS)
    return counted.reduce((sum, [, grams]) => sum + grams, 0)
  }

  function count(at: number, grams: number): void {
    const hour = hourOf(at)
    model.newestHour = Math.max(model.newestHour, hour)
    for (const old of model.hours.keys()) if (old <= model.newestHour - HOURS) model.hours.delete(old)
    if (hour <= model.newestHour - HOURS) return
    const sum = (model.hours.get(hour) ?? 0) + grams
    model.hours.set(hour, Math.min(GRAMS_MAX, Math.max(0, sum)))
  }

  function keep(outcome: Outcome): void {
    const same = model.outcomes.filter(({ isMeal }) => isMeal === outcome.isMeal)
    if (same.length >= (outcome.isMeal ? MEALS_KEPT : RING)) {
      const oldest = same.find(({ isMeal, isConfirmed }) => isMeal || isConfirmed)
      model.outcomes = model.outcomes.filter((one) => one !== oldest)
    }
    model.outcomes.push(outcome)
  }

  /** The first of F5's reasons, in its order. */
  function refusal(grams: number, notAfter: number, { now, battery, limits }: Scene): Reason | undefined {
    if (model.isLatched) return 'latched'
    if (now === 0) return 'no_time'
    if (now >= notAfter) return 'expired'
    if (grams > Math.min(compiled.portion, limits.portion)) return 'portion'
    if (gramsOfDay(now) + grams > Math.min(compiled.daily, limits.daily)) return 'daily'
    if (model.lastAt !== 0 && now < model.lastAt + Math.max(compiled.gap, limits.gap)) return 'gap'
    return battery < compiled.batteryMin ? 'battery' : undefined
  }

  function take(order: Pick<Order, 'id' | 'isMeal' | 'grams' | 'notAfter'>, scene: Scene): void {
    const reason = refusal(order.grams, order.notAfter, scene)
    const { now } = scene
    if (reason !== undefined) {
      const { id, isMeal } = order
      keep({ id, isMeal, state: 'refused', reason, at: now, isConfirmed: false })
      return
    }
    model.active = { ...order, state: 'accepted', at: now }
    model.lastAt = now
    // Reserved before anybody is told (F3).
    count(now, order.grams)
  }

  function finish(state: Exclude<End, 'refused'>, given: number, at: number): void {
    const order = model.active
    if (order === undefined) return
    model.active = undefined
    // Reserved in the hour of its acceptance, and given back there; nobody knows what an interrupted one gave: all of it (F4).
    count(order.at, (state === 'interrupted' ? order.grams : given) - order.grams)
    if (state === 'jammed') {
      model.isLatched = true
      model.jams++
    }
    const isKnown = state !== 'expired' && state !== 'interrupted'
    keep({
      id: order.id,
      isMeal: order.isMeal,
      state,
      at,
      ...(isKnown && { grams: given }),
      isConfirmed: false,
    })
  }

  return {
    state: model as Readonly<typeof model>,
    gramsOfDay,

    /** A command of a verified answer (F2, F6, F9). */
    command(n: number, { grams, ttl, scene }: { grams: number; ttl: number; scene: Scene }): Decision {
      const { active } = model
      if (active !== undefined && !active.isMeal && active.id === n) return 'repeated'
      if (n <= model.highWater) {
        const known = model.outcomes.find(({ isMeal, id }) => !isMeal && id === n)
        if (known === undefined) return 'stale'
        known.isConfirmed = false
        return 'repeated'
      }
      const waiting = model.outcomes.filter(({ isMeal, isConfirmed }) => !isMeal && !isConfirmed)
      if (active !== undefined || waiting.length >= RING) return 'busy'
      model.highWater = n
      take({ id: n, isMeal: false, grams, notAfter: scene.now + ttl }, scene)
      return 'decided'
    },

    /**
     * A look at the schedule (F1): the oldest meal that is due and was not decided on.
     * @param local minutes since 1970 on the wall
     * @param after meals up to this occurrence are none of this schedule
     */
    meal(slots: readonly Slot[], { local, after, scene }: { local: number; after: number; scene: Scene }) {
      const last = Math.max(model.lastOccurrence, after)
      if (model.active !== undefined || scene.now === 0) return 'none'
      const today = Math.floor(local / 1440)
      const due = [today - 1, today]
        .flatMap((day) => slots.map((slot) => ({ day, slot, occurrence: day * 1440 + slot.minute })))
        .filter(({ day, slot }) => ((slot.days >> weekday(day)) & 1) === 1)
        .filter(({ occurrence }) => occurrence > last && occurrence <= local)
        .filter(({ occurrence }) => local - occurrence <= MEAL_LATE_MAX)
        .sort((a, b) => a.occurrence - b.occurrence)[0]
      if (due === undefined) return 'none'
      const { occurrence, slot } = due
      // In whole minutes from now.
      const notAfter = scene.now + (MEAL_LATE_MAX + 1 - (local - occurrence)) * 60
      if (refusal(slot.grams, notAfter, scene) === 'gap') return 'waits'
      model.lastOccurrence = occurrence
      take({ id: occurrence, isMeal: true, grams: slot.grams, notAfter }, scene)
      return 'decided'
    },

    /** Just before the motor (F3, F4). */
    begin(now: number, isPast: boolean): void {
      if (model.active?.state !== 'accepted') return
      if (isPast || now >= model.active.notAfter) {
        finish('expired', 0, now)
        return
      }
      model.active.state = 'dispensing'
      model.runs++
    },

    finish,

    /** The power comes back (F4). */
    restart(): boolean {
      if (model.active?.state !== 'dispensing') return false
      finish('interrupted', model.active.grams, model.active.at)
      return true
    },

    /** A person, at the feeder (F7). */
    button(): void {
      model.isLatched = false
    },

    /** What the next uplink says: what is worked on, then commands, then meals. */
    tell(): Told[] {
      const { active } = model
      const fresh = model.outcomes.filter(({ isConfirmed }) => !isConfirmed)
      const ends = [...fresh.filter(({ isMeal }) => !isMeal), ...fresh.filter(({ isMeal }) => isMeal)]
      const all: Told[] = [...(active ? [active] : []), ...ends]
      return all.slice(0, TOLD_MAX).map(({ id, isMeal, state }) => ({ id, isMeal, state }))
    },

    /** A verified answer to what was told names numbers (F9). Whether that was news. */
    confirm(told: readonly Told[], upto: { command: number; meal: number }): boolean {
      const named = model.outcomes.filter(
        ({ id, isMeal, state, isConfirmed }) =>
          !isConfirmed &&
          id <= (isMeal ? upto.meal : upto.command) &&
          told.some((one) => one.id === id && one.isMeal === isMeal && one.state === state),
      )
      for (const outcome of named) outcome.isConfirmed = true
      // A confirmed meal is never asked for again: it need not be kept.
      model.outcomes = model.outcomes.filter(({ isMeal, isConfirmed }) => !(isMeal && isConfirmed))
      return named.length > 0
    },
  }
}

function hourOf(at: number): number {
  return Math.floor(at / 3600)
}

/** 0 is Monday; 1 January 1970 was a Thursday. */
function weekday(day: number): number {
  return (day + 3) % 7
}
