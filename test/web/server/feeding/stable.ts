import type { LiveEvent } from '@pesebre/contract/api/live'
import type { DeviceConfig, OutcomeState } from '@pesebre/contract/check-in'
import { readControl } from '@pesebre/contract/control'
import type { Report, ReportedOutcome } from '@pesebre/contract/report'
import type { KyselyPlugin } from 'kysely'
import { foldControl } from '../../../../bridge-lambda/src/control-fold.ts'
import type { Database } from '../../../../web/server/src/db/database.ts'
import { type Feeding, openFeeding } from '../../../../web/server/src/feeding/feeding.ts'
import type { Missed } from '../../../../web/server/src/feeding/missed.ts'
import type { FeedRow } from '../../../../web/server/src/feeding/timeline.ts'
import { type ControlShadowHooks, createControlShadows } from '../../../fakes/control-shadows.ts'
import { openTestDatabase } from '../../../fakes/test-database.ts'
import { type Answer, openWebApp, type WebApp, type Who } from '../../../fakes/web-app.ts'

/** A stable whose feeder says what the test says, with the API before it. */
export async function openStable() {
  const hooks: ControlShadowHooks = {}
  const shadows = createControlShadows({ onWrite: (thing) => hooks.onWrite?.(thing) })
  const events: LiveEvent[] = []
  const missed: Missed[] = []
  const rows: FeedRow[] = []
  /** Every write, and every transaction as one. */
  const writes: string[] = []
  const plain = await openTestDatabase()
  const counter: KyselyPlugin = {
    transformQuery({ node }) {
      if (/^(Insert|Update|Delete)QueryNode$/.test(node.kind)) writes.push(node.kind)
      return node
    },
    transformResult: async ({ result }) => result,
  }
  const db: Database = {
    ...plain,
    sql: plain.sql.withPlugin(counter),
    write: (work) => {
      writes.push('transaction')
      return plain.write(work)
    },
  }
  const clock = { now: Date.parse('2026-11-20T12:00:00Z') }
  let seq = 0

  function open(): Feeding {
    return openFeeding({
      db,
      shadows: shadows.shadowsOf(),
      now: () => clock.now,
      log: {
        warn: (...what: unknown[]) => {
          throw new Error(JSON.stringify(what))
        },
      },
      publish: (event) => void events.push(event),
      onFeed: (row) => void rows.push(row),
      onMissed: async (one) => void missed.push(one),
    })
  }

  let feeding = open()
  const web: WebApp = await openWebApp({ db, feeding, now: () => clock.now })
  const { feeder } = web
  shadows.write(feeder, { desired: { enabled: true, queue: [] } })
  shadows.onChange((thing, document) => {
    pending = pending.then(() => feeding.hear(thing, document))
  })
  let pending: Promise<void> = Promise.resolve()

  /** What the bridge makes of a report. */
  async function report(more: Partial<Report>): Promise<void> {
    const { state } = shadows.controls.get(feeder)!
    const base = { thing: feeder, type: 'feeder', seq: ++seq, at: clock.now, received: clock.now }
    const reported = JSON.parse(JSON.stringify(foldControl(readControl(state), [{ ...base, ...more }])))
    shadows.write(feeder, { reported })
    await pending
  }

  return {
    web,
    db,
    writes,
    clock,
    events,
    missed,
    rows,
    shadows,
    /** What happens right before a write of the server. */
    hooks,
    feeder,
    report,
    /** The feeder says how a command, or a meal, stands. */
    say: (
      what: { n: number } | { occurrence: number },
      state: OutcomeState,
      more: Partial<ReportedOutcome> = {},
    ) => report({ outcomes: [{ ...what, state, at: clock.now, ...more } as ReportedOutcome] }),
    /** The command was in an answer. */
    send: (n: number) => report({ sent: n }),
    holds: (version: number) => report({ config_version: version }),
    control: () => readControl(shadows.controls.get(feeder)?.state),
    configure: (config: DeviceConfig) =>
      shadows.write(feeder, { desired: { config: JSON.parse(JSON.stringify(config)) } }),
    /** Presses the button. */
    feed: (who: Who, grams: number, more: { key?: string; override?: boolean } = {}): Promise<Answer> => {
      const { key = `key-${grams}-${seq++}`, override } = more
      const body = { grams, ...(override !== undefined && { override }) }
      return web.ask(who, `POST /api/horses/${web.horse}/feeds`, {
        body,
        headers: { 'idempotency-key': key },
      })
    },
    ask: (who: Who, route: string, body?: unknown) =>
      web.ask(who, route.replace('@', `/api/horses/${web.horse}`), body === undefined ? {} : { body }),
    feeding: () => feeding,
    /** A second server on the same database. */
    open,
    settled: async () => {
      await pending
    },
    /** Another process on the same database. */
    async restart(): Promise<Feeding> {
      feeding = open()
      await feeding.reconcile()
      return feeding
    },
    close: () => web.close(),
  }
}

export type Stable = Awaited<ReturnType<typeof openStable>>
