/**
 * A virtual feeder: what the firmware of a real one does between its radio, its memory and its motor, which are passed in.
 * A power cut is an end of this function's ports, whatever it is waiting for; a start with the record that was written last goes on.
 */
import type { CommandOutcome, Downlink, Outcome, Uplink } from '@pesebre/contract/check-in'
import {
  begin,
  configure,
  confirm,
  decide,
  type Ended,
  finish,
  outcomesToTell,
  takeScheduled,
  wake,
} from './feeding.ts'
import { gramsOfDay, refusalOf } from './limits.ts'
import { type Active, type FeederRecord, HOPPER_GRAMS, RING, type Said } from './record.ts'
import { dueMeal } from './schedule.ts'

export type DevicePorts = {
  /** Writes the record down: it is on disk when this returns. Throws when it cannot. */
  readonly save: (record: FeederRecord) => void
  /** Runs the motor until the portion is out, or it cannot. Grams as the bare motor counts them. */
  readonly dispense: (grams: number) => Promise<Ended>
  /** One exchange with a gateway; undefined: no verified answer came. */
  readonly exchange: (uplink: Uplink) => Promise<Downlink | undefined>
  /** Milliseconds since any instant: it never steps. */
  readonly monotonic: () => number
  /** Battery, radio: what is not this device's own doing. */
  readonly measure: () => { readonly battery_mv: number; readonly rssi_dbm: number; readonly temp_c: number }
  readonly sleep: (ms: number) => Promise<void>
  readonly warn: (text: string) => void
}

export type Device = {
  /** One wake: reports, acts on the answer, and reports once more while that is worth it. */
  wakeUp(): Promise<void>
  /** Seconds to the next wake. */
  intervalS(): number
}

/** From one check-in to the next, unless the configuration says otherwise, seconds. */
const INTERVAL_S = 5
/** A clock that is off by no more is left as it is, seconds (design/wire.md, Time). */
const CLOCK_OFF_MAX = 5
/** A record that could not be written is tried again after this, milliseconds. */
const SAVE_AGAIN_MS = 1000
/** Exchanges in one wake. */
const EXCHANGES_MAX = 4
const HOPPER_LOW = 0.15 * HOPPER_GRAMS
const HOPPER_PERCENT = HOPPER_GRAMS / 100

/** Switches a feeder on. @throws what `save` throws: it does not run with a memory that it cannot write */
export function startDevice(stored: FeederRecord, ports: DevicePorts): Device {
  let record = wake(stored)
  ports.save(record)
  /** Seconds since 1970 less the monotonic clock; undefined since a cold start (F8). */
  let offset: number | undefined
  /** The end of the present order by the clock that never steps: a clock that is set back must not prolong it. */
  let deadline = Number.POSITIVE_INFINITY
  /** Outcomes that are told once and kept nowhere. */
  let passing: CommandOutcome[] = []
  /** Commands that came while it was busy, and until when they may come again, by the clock that never steps. */
  const turnedAway = new Map<number, number>()
  let isRunning = false
  let reporting: Promise<unknown> = Promise.resolve()
  let lastState = ''

  const uptime = () => ports.monotonic() / 1000
  const now = () => (offset === undefined ? undefined : Math.floor(offset + uptime()))

  /** The next record counts only once it is written. */
  function commit(next: FeederRecord): void {
    if (next === record) return
    ports.save(next)
    const { active } = next
    if (record.active === undefined && active !== undefined) deadline = uptime() + active.notAfter - active.at
    record = next
  }

  function stage(): Active['state'] | undefined {
    return record.active?.state
  }

  function circumstances() {
    return { now: now(), batteryMv: ports.measure().battery_mv }
  }

  function stateOf(): Record<string, unknown> {
    const { battery_mv, rssi_dbm, temp_c } = ports.measure()
    const { hopperGrams, motorRuns, jams, hours, config } = record
    const time = now()
    return {
      hopper_pct: Math.round(hopperGrams / HOPPER_PERCENT),
      battery_mv,
      temp_c,
      rssi_dbm,
      ...(time !== undefined && { fed_g_today: gramsOfDay(hours, time) }),
      motor_runs: motorRuns,
      jams,
      schedule_version: config.version,
    }
  }

  function ageOf(at: Said['at']): { age_s?: number } {
    const time = now()
    const age = time === undefined || at === 0 ? 0 : time - at
    return age > 0 ? { age_s: age } : {}
  }

  /** One exchange; true: another one is worth it. They follow each other: what one answer says is done before the next question. */
  function report(): Promise<boolean> {
    const next = reporting.then(exchange)
    reporting = next.catch(() => undefined)
    return next
  }

  /**
   * Tells `refused(busy)` of what will not run any more: its time is past, or a later command was decided on. No sooner: a gateway
   * does not hand out again what an outcome has named, and what was said to be refused must not run after all (F6).
   */
  function refuseTurnedAway(): void {
    for (const [n, until] of turnedAway) {
      const isDecided =
        n <= record.highWater && outcomesToTell(record).some((kept) => 'n' in kept && kept.n === n)
      if (!isDecided && n > record.highWater && uptime() <= until) continue
      turnedAway.delete(n)
      if (!isDecided) passing.push({ n, state: 'refused', reason: 'busy' })
    }
  }

  async function exchange(): Promise<boolean> {
    refuseTurnedAway()
    const kept = outcomesToTell(record)
    const outcomes = kept.map((one): Outcome => {
      const { state, grams, reason, at } = one as typeof one & Said
      return {
        ...('n' in one ? { n: one.n } : { occurrence: one.occurrence }),
        state,
        ...(grams !== undefined && { grams }),
        ...(reason !== undefined && { reason }),
        ...ageOf(at),
      }
    })
    const told = [...outcomes, ...passing].slice(0, RING)
    const state = stateOf()
    const text = JSON.stringify(state)
    const downlink = await ports.exchange({
      state,
      interval_s: intervalS(),
      config_version: record.config.version,
      ...(text === lastState && { changed: false }),
      clock: now() ?? 0,
      ...(told.length > 0 && { outcomes: told }),
    })
    // After an answer that did not come, nobody knows what the cloud has: the next report is a change again.
    lastState = downlink === undefined ? '' : text
    return downlink !== undefined && act(downlink, told)
  }

  /** Does what a verified answer says. True: there is something new to tell, or to fetch. */
  function act(downlink: Downlink, told: readonly Outcome[]): boolean {
    const { time, acked_upto = 0, acked_meal = 0, config, commands = [], more = false } = downlink
    // First: without a clock no command is taken.
    if (time !== undefined && Math.abs(time - (now() ?? 0)) > CLOCK_OFF_MAX) offset = time - uptime()
    passing = passing.filter((outcome) => outcome.n > acked_upto || !told.includes(outcome))
    let isNews = false
    try {
      commit(confirm(record, told, { upTo: acked_upto, meal: acked_meal }))
      if (config !== undefined && config.version !== record.config.version)
        commit(configure(record, config, now()))
      for (const command of commands) {
        const decision = decide(record, command, circumstances())
        isNews ||= decision.kind !== 'busy'
        if (decision.kind === 'busy') turnedAway.set(command.n, uptime() + command.ttl_s)
        else if (decision.kind === 'stale') passing.push({ n: command.n, state: 'refused', reason: 'stale' })
        else {
          commit(decision.record)
          turnedAway.delete(command.n)
        }
      }
    } catch (error) {
      // What is not written down is not decided: the command comes again.
      ports.warn(`Cannot write the record: ${(error as Error).message}`)
      return false
    }
    // Meals that found no room in this report follow at once, while answers come.
    isNews ||= acked_meal > 0 && record.meals.length > 0
    // While it is busy the same commands would come again and again.
    return isNews || (more && record.active === undefined)
  }

  /** Works on the order that was accepted, if there is one (F3). */
  async function work(): Promise<void> {
    if (isRunning || stage() !== 'accepted') return
    isRunning = true
    try {
      await report()
      const time = now()
      if (time === undefined) return
      commit(begin(record, time, uptime() > deadline))
      if (stage() === 'dispensing') {
        report().catch(onFailure)
        const ended = await dispense(record.active?.grams ?? 0)
        while (!isCommitted(finish(record, ended, now() ?? time))) await ports.sleep(SAVE_AGAIN_MS)
      }
    } finally {
      isRunning = false
    }
    await report()
  }

  /** The motor counts its own grams: the calibration tells how many real ones each of them is. */
  async function dispense(grams: number): Promise<Ended> {
    const factor = (record.config.calibration ?? 1000) / 1000
    const ended = await ports.dispense(Math.round(grams / factor))
    return { ...ended, grams: Math.min(grams, Math.round(ended.grams * factor)) }
  }

  function isCommitted(next: FeederRecord): boolean {
    try {
      commit(next)
      return true
    } catch (error) {
      ports.warn(`Cannot write the record: ${(error as Error).message}`)
      return false
    }
  }

  function onFailure(error: unknown): void {
    ports.warn((error as Error).message)
  }

  /** What happens without a network: the schedule, and somebody who fills the hopper. */
  function live(): void {
    const time = now()
    if (record.hopperGrams < HOPPER_LOW && record.active === undefined)
      commit({ ...record, hopperGrams: HOPPER_GRAMS })
    if (time === undefined || record.active !== undefined) return
    const meal = dueMeal(record.config, record.lastOccurrence, time)
    if (meal === undefined) return
    // Somebody has just been fed by hand: the meal of the schedule follows when the gap is over.
    if (refusalOf(record, { ...circumstances(), ...meal }) === 'gap') return
    commit(takeScheduled(record, meal, circumstances()))
  }

  function intervalS(): number {
    return record.config.interval_s ?? INTERVAL_S
  }

  return {
    intervalS,
    async wakeUp() {
      try {
        live()
        for (let exchanges = 0; exchanges < EXCHANGES_MAX && (await report()); exchanges++)
          if (stage() === 'accepted') break
      } catch (error) {
        onFailure(error)
      }
      work().catch(onFailure)
    },
  }
}
