import { setImmediate as immediate } from 'node:timers/promises'
import type { CommandOutcome, Downlink } from '@pesebre/contract/check-in'
import { give } from '@pesebre/contract/commands/rules'
import { readControl } from '@pesebre/contract/control'
import type { Report, ReportedOutcome } from '@pesebre/contract/report'
import fc from 'fast-check'
import t from 'tap'
import { foldControl } from '../../../../bridge-lambda/src/control-fold.ts'
import { downlinkOf, mailboxOf, planAnswer } from '../../../../gateway/src/app/mailbox.ts'
import type { Database } from '../../../../web/server/src/db/database.ts'
import { createFollower, type Follower } from '../../../../web/server/src/feeding/follow.ts'
import { createGiver, type FeedingResult, type Giver } from '../../../../web/server/src/feeding/give.ts'
import { openLedger } from '../../../../web/server/src/feeding/ledger.ts'
import { type FeedRow, isEnded, NOT_GIVEN } from '../../../../web/server/src/feeding/timeline.ts'
import { createControlShadows } from '../../../fakes/control-shadows.ts'
import { begin, confirm, decide, finish, outcomesToTell, wake } from '../../../fakes/feeder/feeding.ts'
import { type FeederRecord, NEW_RECORD } from '../../../fakes/feeder/record.ts'
import { openTestDatabase } from '../../../fakes/test-database.ts'

/**
 * The whole way of a feeding, with two web servers, the command line, the gateway's and the bridge's own code, and a feeder that
 * keeps to its rules: nothing doubled, nothing lost, and nothing said of a feeder that it has not said.
 */

t.setTimeout(180_000)

const START = 1_800_000_000_000
const DAY_MS = 86_400_000
const RUNS = Number(process.env['PESEBRE_TEST_RUNS'] ?? 60)

class Crash extends Error {}

type Server = { giver: Giver; follower: Follower; inbox: { version: number; state: unknown }[] }

class World {
  now = START
  readonly thing: string
  readonly db: Database
  readonly draw: (below: number) => number
  /** The next write fails so. */
  fault: 'before' | 'after' | undefined
  readonly shadows = createControlShadows({
    onWrite: () => this.#fail('before'),
    onWritten: () => this.#fail('after'),
  })
  readonly servers: [Server, Server]
  record: FeederRecord = NEW_RECORD
  hasClock = false
  /** What the feeder has sent, and what of it the gateway has: only that may be told to anybody. */
  readonly said = new Set<string>()
  readonly runs: { n: number; grams: number }[] = []
  journal: Report[] = []
  seq = 0
  /** What each wish came to. */
  readonly wishes = new Map<string, FeedingResult[]>()

  constructor(db: Database, thing: string, draw: (below: number) => number) {
    this.db = db
    this.thing = thing
    this.draw = draw
    this.shadows.write(thing, { desired: { enabled: true, queue: [] } })
    this.servers = [this.boot(), this.boot()]
    this.shadows.onChange((_, document) => {
      for (const { inbox } of this.servers) inbox.push(document)
    })
  }

  #fail(when: 'before' | 'after'): void {
    if (this.fault !== when) return
    this.fault = undefined
    throw new Crash(`AWS IoT is away (${when} the write)`)
  }

  boot(): Server {
    const ledger = openLedger(this.db)
    const turn = async () => {
      for (let turns = this.draw(4); turns > 0; turns--) await immediate()
    }
    const shadows = this.shadows.shadowsOf(turn)
    const follower = createFollower({
      ledger,
      shadows,
      feeders: async () => [this.thing],
      now: () => this.now,
      onFeed: (row) => this.#check(row),
      onError: (error) => {
        throw error
      },
    })
    const giver = createGiver({ ledger, shadows, follower, now: () => this.now })
    return { giver, follower, inbox: [] }
  }

  /** Promise D6: what is said of a feeder is its own word. */
  #check({ n, state, source }: FeedRow): void {
    const isWord = ['accepted', 'dispensing', 'done', 'partial', 'jammed', 'interrupted'].includes(state)
    if (isWord && source === 'command' && !this.said.has(`${n}/${state}`))
      throw new Error(`Nobody said ${state} of command ${n}`)
  }

  async press(server: 0 | 1, key: string, grams: number): Promise<void> {
    const results = this.wishes.get(key) ?? []
    this.wishes.set(key, results)
    try {
      const wish = {
        thing: this.thing,
        horse: { id: this.thing, stable_id: 'stb', weight_kg: 500, meal_max_g: null, day_max_g: null },
        grams,
        override: false,
        user: { id: 'usr', name: 'Ana', isOwner: true },
        key: `${this.thing}-${key}`,
      }
      results.push(await this.servers[server].giver.give(wish))
    } catch (error) {
      if (!(error instanceof Crash)) throw error
    }
  }

  /** From the command line, which knows of no database. */
  commandLine(grams: number): void {
    const document = this.shadows.controls.get(this.thing)!
    const wish = {
      kind: 'feed',
      grams,
      by: 'cli',
      notAfter: this.now / 1000 + 600,
      key: `cli${this.draw(1e9)}`,
    } as const
    const change = give(readControl(document.state), wish, { now: this.now })
    if (change.ok && change.desired)
      this.shadows.write(this.thing, { desired: JSON.parse(JSON.stringify(change.desired)) })
  }

  /** One wake of the feeder: a check-in, and what it is told to do. */
  check(lost: 'request' | 'answer' | undefined, cut: boolean): void {
    const told = outcomesToTell(this.record) as unknown as (CommandOutcome & { at: number })[]
    this.seq++
    let downlink: Downlink = {}
    if (lost !== 'request') {
      const outcomes = told.map(({ n, state, grams, at, reason }): ReportedOutcome => {
        this.said.add(`${n}/${state}`)
        return { n, state, at: at * 1000, ...(grams !== undefined && { grams }), ...(reason && { reason }) }
      })
      const document = this.shadows.controls.get(this.thing)!
      const acked = outcomes.length > 0 ? Math.max(...told.map(({ n }) => n)) : undefined
      const mailbox = mailboxOf(readControl(document.state), document.version)
      const said = { acted: acked ?? 0, ackedUpto: acked, clock: this.hasClock ? this.now / 1000 : 0 }
      const plan = planAnswer(mailbox, said, { now: this.now })
      const sent = plan.commands.at(-1)?.n
      this.journal.push({
        thing: this.thing,
        type: 'feeder',
        seq: this.seq,
        at: this.now,
        received: this.now,
        outcomes,
        ...(sent !== undefined && { sent }),
      })
      if (lost !== 'answer') downlink = downlinkOf(plan, this.now)
    }
    if (downlink.time !== undefined) this.hasClock = true
    this.record = confirm(this.record, told, { upTo: downlink.acked_upto ?? 0, meal: 0 })
    const now = Math.floor(this.now / 1000)
    for (const command of downlink.commands ?? []) {
      const decision = decide(this.record, command, { now: this.hasClock ? now : undefined, batteryMv: 3700 })
      if (decision.kind === 'decided' || decision.kind === 'repeated') this.record = decision.record
    }
    const { active } = this.record
    if (active === undefined || !('n' in active)) return
    if (this.draw(3) === 0) return
    this.record = begin(this.record, now)
    const begun = this.record.active
    if (begun?.state !== 'dispensing') return
    this.runs.push({ n: active.n, grams: active.grams })
    if (cut) {
      this.record = wake(this.record)
      this.hasClock = false
      return
    }
    const state = (['done', 'done', 'partial', 'jammed'] as const)[this.draw(4)]!
    this.record = finish(this.record, { state, grams: state === 'done' ? active.grams : 1 }, now)
    // A person clears it.
    this.record = { ...this.record, latched: false }
  }

  /** The bridge takes some of what the gateway has kept, in any order, some of it twice. */
  bridge(count: number): void {
    const taken = this.journal.splice(0, count)
    if (this.draw(3) === 0) taken.reverse()
    if (this.draw(4) === 0) this.journal.push(...taken)
    if (taken.length === 0) return
    const { state } = this.shadows.controls.get(this.thing)!
    const reported = JSON.parse(JSON.stringify(foldControl(readControl(state), taken)))
    if (JSON.stringify(state.reported) !== JSON.stringify(reported))
      this.shadows.write(this.thing, { reported })
  }

  async hear(server: 0 | 1, isLost: boolean): Promise<void> {
    const { inbox, follower } = this.servers[server]
    for (const document of inbox.splice(0)) if (!isLost) await follower.hear(this.thing, document)
  }

  async restart(server: 0 | 1): Promise<void> {
    this.servers[server] = this.boot()
    await this.servers[server].follower.reconcile()
  }

  /** Everything comes to its end. */
  async finish(): Promise<FeedRow[]> {
    this.fault = undefined
    for (let rounds = 0; rounds < 12; rounds++) {
      this.check(undefined, false)
      this.bridge(99)
      await Promise.all([this.hear(0, false), this.hear(1, false)])
      this.now += 61_000
    }
    this.journal = []
    for (const ms of [20 * 60_000, 60_000]) {
      this.now += ms
      for (const { follower } of this.servers) {
        await follower.reconcile()
        await follower.tick()
      }
    }
    return openLedger(this.db).between({ thing: this.thing }, 0, this.now + DAY_MS)
  }
}

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('press' as const),
      server: fc.constantFrom(0, 1),
      key: fc.nat(5),
      fault: fc.constantFrom(undefined, undefined, 'before', 'after'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('race' as const), keys: fc.tuple(fc.nat(5), fc.nat(5)) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cli' as const), races: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('cancel' as const), server: fc.constantFrom(0, 1) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('check' as const),
      lost: fc.constantFrom(undefined, undefined, 'request', 'answer'),
      cut: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('bridge' as const), count: fc.integer({ min: 1, max: 4 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('hear' as const),
      server: fc.constantFrom(0, 1),
      isLost: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      seconds: fc.constantFrom(1, 30, 61, 90, 400, 800),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('restart' as const), server: fc.constantFrom(0, 1) }),
  },
)

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

async function run(world: World, steps: readonly Step[]): Promise<void> {
  for (const one of steps) {
    switch (one.kind) {
      case 'press':
        world.fault = one.fault as World['fault']
        await world.press(one.server as 0 | 1, `k${one.key}`, 100 + one.key)
        world.fault = undefined
        break
      case 'race':
        await Promise.all(one.keys.map((key, i) => world.press(i as 0 | 1, `k${key}`, 100 + key)))
        break
      case 'cli': {
        const press = one.races ? world.press(0, `c${world.draw(3)}`, 90) : undefined
        world.commandLine(77)
        await press
        break
      }
      case 'cancel': {
        const queue = readControl(world.shadows.controls.get(world.thing)!.state).desired.queue
        const n = queue.at(-1)?.n
        if (n !== undefined) await world.servers[one.server as 0 | 1].giver.cancel(world.thing, n)
        break
      }
      case 'check':
        world.check(one.lost as 'request' | 'answer' | undefined, one.cut && world.draw(3) === 0)
        break
      case 'bridge':
        world.bridge(one.count)
        break
      case 'hear':
        await world.hear(one.server as 0 | 1, one.isLost && world.draw(2) === 0)
        break
      case 'pass':
        world.now += one.seconds * 1000
        await Promise.all(world.servers.map(({ follower }) => follower.tick()))
        break
      case 'restart':
        await world.restart(one.server as 0 | 1)
    }
  }
}

t.test('nothing doubled, nothing lost, nothing said that the feeder has not said', async (t) => {
  const db = await openTestDatabase()
  t.teardown(() => db.close())
  let worlds = 0
  const tally = { runs: 0, rows: 0, notGiven: 0, unknown: 0 }
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 60 }),
      fc.infiniteStream(fc.nat({ max: 1_000_000 })),
      async (steps, tape) => {
        const draw = (below: number) => tape.next().value! % below
        const world = new World(db, `feeder-${(0x10000000 + worlds++).toString(16)}`, draw)
        await run(world, steps)
        const rows = await world.finish()

        const byNumber = new Map(rows.filter(({ n }) => n !== null).map((row) => [row.n, row]))
        for (const { n, grams } of world.runs) {
          if (world.runs.filter((other) => other.n === n).length > 1)
            throw new Error(`Command ${n} ran twice`)
          const row = byNumber.get(n)
          if (row === undefined) throw new Error(`Command ${n} ran, and is in no ledger`)
          const isKnown = ['done', 'partial', 'jammed', 'interrupted'].includes(row.state)
          if (!isKnown) throw new Error(`Command ${n} ran, and the ledger says ${row.state}`)
          if (row.planned_g !== null && row.planned_g !== grams)
            throw new Error(`Command ${n} ran with ${grams} g`)
        }
        for (const row of rows) {
          if (!isEnded(row.state)) throw new Error(`Still ${row.state}: ${row.n}`)
          const hasRun = world.runs.some(({ n }) => n === row.n)
          if (['done', 'partial', 'jammed', 'interrupted'].includes(row.state) && !hasRun)
            throw new Error(`${row.state} of command ${row.n}, which never ran`)
        }
        for (const [key, results] of world.wishes) {
          const ids = new Set(results.flatMap((result) => (result.ok ? [result.row.id] : [])))
          if (ids.size > 1) throw new Error(`Wish ${key} became ${ids.size} feedings`)
          const [id] = ids
          if (id !== undefined && !rows.some((row) => row.id === id)) {
            // Granted, and yet it never came to be.
            throw new Error(`Wish ${key} was granted and is lost`)
          }
        }
        tally.runs += world.runs.length
        tally.rows += rows.length
        tally.unknown += rows.filter(({ state }) => state === 'unknown').length
        const all = await db.sql
          .selectFrom('feeds')
          .select('reason')
          .where('thing', '=', world.thing)
          .execute()
        tally.notGiven += all.filter(({ reason }) => reason === NOT_GIVEN).length
      },
    ),
    { numRuns: RUNS, endOnFailure: false },
  )
  t.comment(JSON.stringify(tally))
  t.ok(tally.runs > RUNS / 3 && tally.notGiven > 0, 'the histories are worth something')
})
