import { type CommandOutcome, isFinal, OUTCOME_STATES } from '@pesebre/contract/check-in'
import type { Control } from '@pesebre/contract/control'
import fc from 'fast-check'
import t from 'tap'
import { downlinkOf, mailboxOf, planAnswer } from '../../gateway/src/app/mailbox.ts'
import { createMailboxes, type Mailboxes } from '../../gateway/src/mailboxes.ts'

/**
 * D6 as a model: people give and cancel, two gateways with caches of their own hand out, a feeder that follows design/feeding.md
 * loses power at any step, datagrams are lost and late, the bridge is late and out of order. One feeder, since mailboxes
 * do not touch one another. The gateways' part is the real code; time is simulated.
 */
const THING = 'feeder-00000001'
const RING = 8
/** An answer that comes later than this finds the device asleep, milliseconds. */
const WINDOW_MS = 3000

type Step =
  | { kind: 'give'; ttl: number }
  | { kind: 'cancel'; index: number }
  | { kind: 'wait'; ms: number }
  | { kind: 'announce'; gateway: 0 | 1; count: number }
  | { kind: 'link'; gateway: 0 | 1; isLive: boolean; isReset: boolean }
  | { kind: 'restart'; gateway: 0 | 1 }
  | {
      kind: 'wake'
      gateway: 0 | 1
      request: number
      answer: number
      lost: 'no' | 'request' | 'answer'
      cut: number
    }
  | { kind: 'bridge'; order: number[]; repeats: boolean }
  | { kind: 'blackout' }

const gateway = fc.constantFrom(0 as const, 1 as const)
const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('give' as const), ttl: fc.integer({ min: 1, max: 90 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel' as const), index: fc.nat(7) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 40_000 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('announce' as const),
      gateway,
      count: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('link' as const),
      gateway,
      isLive: fc.boolean(),
      isReset: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), gateway }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('wake' as const),
      gateway,
      request: fc.integer({ min: 0, max: 2500 }),
      answer: fc.integer({ min: 0, max: 2500 }),
      lost: fc.constantFrom(
        'no' as const,
        'no' as const,
        'no' as const,
        'request' as const,
        'answer' as const,
      ),
      // Which of the device's steps the power fails at; most of them are never reached.
      cut: fc.integer({ min: 0, max: 12 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('bridge' as const),
      order: fc.array(fc.nat(20), { maxLength: 4 }),
      repeats: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('blackout' as const) }) },
)

class PowerCut extends Error {}

type Kept = CommandOutcome & { confirmed: boolean }
type Given = { notAfter: number; cancelled: boolean }

class World {
  now = 1_000_000
  version = 1
  control: Control = { desired: { enabled: true, queue: [], next: 1 }, reported: {} }
  readonly given = new Map<number, Given>()
  /** What the cloud has heard of each command: the highest rank, and the first final one stays. */
  readonly known = new Map<number, CommandOutcome>()
  readonly gateways: Mailboxes[] = []
  /** Changes on their way to each gateway, in order: an MQTT session keeps them. */
  readonly announced: [Control, number][][] = [[], []]
  records: { seq: number; outcomes: CommandOutcome[] }[] = []
  seq = 0
  /** When the motor ran for each command, milliseconds. */
  readonly runs = new Map<number, number[]>()
  // On the device's flash.
  highWater = 0
  ring: Kept[] = []
  accepted: { n: number; deadline: number; grams: number } | undefined
  dispensing: number | undefined
  // In its memory: whether its clock is set.
  hasTime = false
  #cut = 0

  constructor() {
    for (const i of [0, 1] as const) this.start(i)
  }

  start(i: 0 | 1): void {
    const mailboxes = createMailboxes({
      ask: (thing, epoch) => mailboxes.receive(thing, mailboxOf(this.control, this.version), epoch),
      onChange: () => {},
      kept: 100,
    })
    this.gateways[i] = mailboxes
    this.announced[i] = []
    mailboxes.setLive(true, true)
  }

  change(control: Control): void {
    this.control = control
    this.version++
    for (const queue of this.announced) queue.push([control, this.version])
  }

  give(ttl: number): void {
    const { desired, reported } = this.control
    const n = desired.next!
    const seconds = Math.floor(this.now / 1000)
    const command = {
      n,
      kind: 'feed' as const,
      grams: 500,
      notAfter: seconds + ttl,
      by: 'model',
      at: seconds,
    }
    const last = reported.outcomes?.last ?? 0
    const queue = desired.queue.filter((held) => held.n > last && held.notAfter > seconds)
    if (queue.length >= 8) return
    this.given.set(n, { notAfter: command.notAfter, cancelled: false })
    this.change({ desired: { ...desired, queue: [...queue, command], next: n + 1 }, reported })
  }

  cancel(index: number): void {
    const { desired, reported } = this.control
    const command = desired.queue[index]
    if (command === undefined) return
    this.given.get(command.n)!.cancelled = true
    this.change({
      desired: { ...desired, queue: desired.queue.filter(({ n }) => n !== command.n) },
      reported,
    })
  }

  bridge(order: readonly number[], repeats: boolean): void {
    for (const index of order) {
      const record = this.records[index % Math.max(1, this.records.length)]
      if (record === undefined) return
      if (!repeats) this.records = this.records.filter((other) => other !== record)
      for (const outcome of record.outcomes) this.hear(outcome)
    }
  }

  hear(outcome: CommandOutcome): void {
    const held = this.known.get(outcome.n)
    if (
      held !== undefined &&
      (isFinal(held.state) || OUTCOME_STATES[held.state] >= OUTCOME_STATES[outcome.state])
    )
      return
    this.known.set(outcome.n, outcome)
    const items = [...this.known.values()]
      .sort((a, b) => a.n - b.n)
      .map((each) => ({ ...each, at: this.now }))
    const outcomes = { last: items.at(-1)!.n, items: items.slice(-8) }
    this.change({ ...this.control, reported: { ...this.control.reported, outcomes } })
  }

  announce(i: 0 | 1, count: number): void {
    for (const [control, version] of this.announced[i]!.splice(0, count))
      this.gateways[i]!.announce(THING, mailboxOf(control, version))
  }

  async wake(step: Extract<Step, { kind: 'wake' }>): Promise<void> {
    this.#cut = step.cut
    try {
      this.boot()
      const sentAt = this.now
      const outcomes = this.ring
        .filter(({ confirmed }) => !confirmed)
        .map(({ confirmed: _, ...outcome }) => outcome)
      const seq = ++this.seq
      const clock = this.hasTime ? Math.floor(this.now / 1000) : 0
      this.step()
      if (step.lost === 'request') return
      this.now += step.request
      // A repeat of the request is answered from memory, or refused: it is no second one.
      const mailboxes = this.gateways[step.gateway]!
      const mailbox = await mailboxes.lookUp(THING)
      const ackedUpto = outcomes.length > 0 ? Math.max(...outcomes.map(({ n }) => n)) : undefined
      if (ackedUpto !== undefined) mailboxes.noteOutcome(THING, ackedUpto)
      const plan = planAnswer(mailbox, { acted: ackedUpto ?? 0, ackedUpto, clock }, { now: this.now })
      if (outcomes.length > 0) this.records.push({ seq, outcomes })
      const downlink = downlinkOf(plan, this.now)
      this.now += step.answer
      if (step.lost === 'answer' || this.now - sentAt > WINDOW_MS) return
      this.step()
      if (downlink.time !== undefined) this.hasTime = true
      for (const kept of this.ring)
        if (outcomes.some(({ n, state }) => n === kept.n && state === kept.state && isFinal(state)))
          kept.confirmed ||= kept.n <= (downlink.acked_upto ?? 0)
      // From when the request was sent: the command is older than the answer.
      for (const command of downlink.commands ?? []) this.obey(command, sentAt + command.ttl_s * 1000)
      this.run()
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error
      this.hasTime = false
    }
  }

  /** F4. */
  boot(): void {
    if (this.dispensing !== undefined) {
      this.end({ n: this.dispensing, state: 'interrupted' })
      this.dispensing = undefined
    }
    if (this.hasTime) this.run()
  }

  /** F1, F2, F3, F6, F8, F9. */
  obey(command: { n: number; grams: number }, deadline: number): void {
    const { n, grams } = command
    if (n <= this.highWater) {
      const kept = this.ring.find((outcome) => outcome.n === n)
      if (kept) kept.confirmed = false
      else this.end({ n, state: 'refused', reason: 'stale' })
      return
    }
    if (this.accepted !== undefined) return
    if (this.ring.filter(({ confirmed }) => !confirmed).length >= RING) return
    this.highWater = n
    if (this.hasTime) this.accepted = { n, deadline, grams }
    else this.end({ n, state: 'refused', reason: 'no_time' })
    this.step()
  }

  run(): void {
    const { accepted } = this
    if (accepted === undefined || !this.hasTime) return
    this.accepted = undefined
    if (this.now > accepted.deadline) {
      this.end({ n: accepted.n, state: 'expired' })
      return
    }
    this.dispensing = accepted.n
    this.step()
    this.runs.set(accepted.n, [...(this.runs.get(accepted.n) ?? []), this.now])
    this.step()
    this.dispensing = undefined
    this.end({ n: accepted.n, state: 'done', grams: accepted.grams })
    this.step()
  }

  end(outcome: CommandOutcome): void {
    const rest = this.ring.filter(({ n }) => n !== outcome.n)
    // The oldest that are confirmed make room.
    while (rest.length >= RING) {
      const index = rest.findIndex(({ confirmed }) => confirmed)
      if (index < 0) break
      rest.splice(index, 1)
    }
    this.ring = [...rest, { ...outcome, confirmed: false }]
  }

  /** Something has just been stored; the power may go. */
  step(): void {
    if (--this.#cut === 0) throw new PowerCut()
  }
}

t.setTimeout(300_000)

t.test('D6: a command runs at most once, never after its time, and its end is always known', async (t) => {
  let ran = 0
  let handedOut = 0
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { minLength: 5, maxLength: 60 }), async (history) => {
      const world = new World()
      for (const step of history) {
        if (step.kind === 'give') world.give(step.ttl)
        else if (step.kind === 'cancel') world.cancel(step.index)
        else if (step.kind === 'wait') world.now += step.ms
        else if (step.kind === 'announce') world.announce(step.gateway, step.count)
        else if (step.kind === 'link') world.gateways[step.gateway]!.setLive(step.isLive, step.isReset)
        else if (step.kind === 'restart') world.start(step.gateway)
        else if (step.kind === 'bridge') world.bridge(step.order, step.repeats)
        else if (step.kind === 'blackout') world.hasTime = false
        else await world.wake(step)
      }
      // Then all is well again for a while.
      for (let i = 0; i < 40; i++) {
        for (const gateway of [0, 1] as const) {
          world.announce(gateway, Number.POSITIVE_INFINITY)
          const quiet = { request: 0, answer: 0, lost: 'no' as const, cut: 0 }
          await world.wake({ kind: 'wake', gateway, ...quiet })
        }
        while (world.records.length > 0) world.bridge([0], false)
        world.now += 5000
      }
      for (const [n, { notAfter, cancelled }] of world.given) {
        const runs = world.runs.get(n) ?? []
        const known = world.known.get(n)
        if (runs.length > 1) throw new Error(`command ${n} ran ${runs.length} times`)
        if (runs.some((at) => at > notAfter * 1000)) throw new Error(`command ${n} ran late`)
        if (known !== undefined && !isFinal(known.state)) throw new Error(`command ${n} has no end`)
        if (runs.length > 0 && known?.state !== 'done' && known?.state !== 'interrupted')
          throw new Error(`command ${n} ran, and the cloud says: ${known?.state}`)
        if (known?.state === 'done' && runs.length === 0) throw new Error(`command ${n} did not run`)
        if (known === undefined && !cancelled && notAfter * 1000 > world.now)
          throw new Error(`command ${n} is still open`)
        ran += runs.length
        handedOut += known === undefined ? 0 : 1
      }
      if (world.ring.some(({ confirmed }) => !confirmed)) throw new Error('an outcome was never confirmed')
    }),
    { numRuns: Number(process.env['PESEBRE_RUNS'] ?? 500) },
  )
  t.ok(ran > 100, `${ran} ran of ${handedOut} that came to an end on the device`)
})
