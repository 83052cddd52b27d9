import { HOP_NOTES } from '@pesebre/contract/hops'
import { LEASE_HOLDS_MS } from '@pesebre/contract/presence'
import type { Leases } from './leases.ts'
import type { Look } from './looks.ts'

/** What the admin port of a gateway says (gateway/src/adapters/http-admin.ts, metrics.ts). */
type Answer = {
  readonly url: string
  readonly ms: number
  /** Absent: it does not answer, and `error` says how. */
  readonly id?: string
  readonly isReady: boolean
  readonly reasons: readonly string[]
  readonly metrics: ReadonlyMap<string, number>
  readonly error?: string
}

export type Gateways = {
  /** Asks all of them: hop and journal of each. Of those without an admin port only the lease is known, and no journal. */
  look(): Promise<Look[]>
  /** Reports that they have put on disk since this process began to ask, and of the last minute. Undefined: there are none. */
  reports(): { total: number; perMinute: number } | undefined
}

const ANSWER_MS = 2_000
const MINUTE_MS = 60_000
/** A report that SQS has not taken for so long is worth a look, seconds (the gateway's own PESEBRE_UNSENT_MAX_S). */
const UNSENT_SLOW_S = 30
const KEPT = 'pesebre_reports_kept_total'

/**
 * What only the gateways themselves know: whether they are ready, their journals, their numbers. Whether one runs is decided by its lease,
 * as on every other page: an admin port that nobody reaches from here is a pity, and no gateway that is down.
 *
 * @param urls of the admin ports
 */
export function watchGateways(
  urls: readonly string[],
  { now, leases }: { now: () => number; leases: Pick<Leases, 'seen'> },
): Gateways {
  const names = new Map<string, string>()
  const counted = new Map<string, number>()
  let total = 0
  let history: { at: number; total: number }[] = []

  function count(url: string, kept: number): void {
    const before = counted.get(url)
    counted.set(url, kept)
    // A counter that is lower began anew: the gateway was restarted.
    if (before !== undefined) total += kept >= before ? kept - before : kept
  }

  async function look(): Promise<Look[]> {
    const answers = await Promise.all(urls.map(ask))
    const at = now()
    for (const { url, id, metrics } of answers) {
      if (id === undefined) continue
      names.set(url, id)
      count(url, metrics.get(KEPT) ?? 0)
    }
    history = [...history.filter((one) => one.at > at - MINUTE_MS - 5_000), { at, total }]
    const seen = leases.seen()
    nameTheLast(seen)
    const answered = answers.flatMap((answer) => {
      const name = answer.id ?? names.get(answer.url) ?? hostOf(answer.url)
      return looksOf(answer, name, leaseOf(seen.get(name), at))
    })
    const named = new Set(answered.map(({ id }) => id))
    const others = [...seen].filter(([id]) => !named.has(id))
    return [...answered, ...others.map(([id, heard]) => lookAtLease(id, leaseOf(heard, at)))]
  }

  /** An admin port that has not answered since this process began: whose it is, is known where one gateway is left. */
  function nameTheLast(seen: ReadonlyMap<string, number>): void {
    const nameless = urls.filter((url) => !names.has(url))
    const taken = new Set(names.values())
    const left = [...seen.keys()].filter((id) => !taken.has(id))
    if (nameless.length === 1 && left.length === 1) names.set(nameless[0]!, left[0]!)
  }

  return {
    look,
    reports() {
      if (urls.length === 0) return undefined
      const since = now() - MINUTE_MS
      const first = history.find(({ at }) => at >= since) ?? history.at(-1)
      return { total, perMinute: total - (first?.total ?? total) }
    },
  }
}

async function ask(url: string): Promise<Answer> {
  const started = performance.now()
  const nothing = { url, isReady: false, reasons: [], metrics: new Map() }
  try {
    const signal = AbortSignal.timeout(ANSWER_MS)
    const [readiness, metrics] = await Promise.all([
      fetch(`${url}/readyz`, { signal }).then((answer) => answer.json()),
      fetch(`${url}/metrics`, { signal }).then((answer) => answer.text()),
    ])
    const { gateway, ready, reasons } = readiness as { gateway?: unknown; ready?: unknown; reasons?: unknown }
    return {
      url,
      ms: performance.now() - started,
      id: typeof gateway === 'string' ? gateway : url,
      isReady: ready === true,
      reasons: Array.isArray(reasons) ? reasons.map(String) : [],
      metrics: readMetrics(metrics),
    }
  } catch (error) {
    const { message, cause } = error as Error
    const said = cause instanceof Error && cause.message !== '' ? cause.message : message
    return { ...nothing, ms: performance.now() - started, error: said }
  }
}

/** Values without labels (Prometheus text format 0.0.4). */
export function readMetrics(text: string): Map<string, number> {
  const values = new Map<string, number>()
  for (const [, name = '', value = ''] of text.matchAll(/^([a-zA-Z_:][\w:]*) (\S+)/gm))
    values.set(name, Number(value))
  return values
}

type Lease = { readonly holds: boolean; readonly note: string }

/** @param heard when the gateway said that it runs, 0: that it stops. Undefined: it keeps no lease */
function leaseOf(heard: number | undefined, now: number): Lease | undefined {
  if (heard === undefined) return undefined
  if (heard === 0) return { holds: false, note: 'it said that it stops' }
  const ago = `${Math.max(0, Math.round((now - heard) / 1000))} s ago`
  return { holds: now - heard <= LEASE_HOLDS_MS, note: `it last said that it runs ${ago}` }
}

function lookAtLease(id: string, lease: Lease | undefined): Look {
  return { hop: 'gateway', id, state: lease?.holds ? 'ok' : 'broken', note: lease?.note ?? '' }
}

function looksOf(
  { url, ms, id, isReady, reasons, metrics, error }: Answer,
  name: string,
  lease: Lease | undefined,
): Look[] {
  if (id === undefined) {
    const note = [`does not answer at ${hostOf(url)}: ${error}`, lease?.note].filter(Boolean).join('; ')
    return [
      { hop: 'gateway', id: name, state: lease?.holds ? 'slow' : 'broken', note, ms },
      { hop: 'journal', id: name, state: 'unknown', note: 'the gateway does not answer' },
    ]
  }
  const age = metrics.get('pesebre_oldest_unsent_seconds') ?? 0
  const backlog = metrics.get('pesebre_journal_backlog_bytes') ?? 0
  const failed = metrics.get('pesebre_journal_failed') === 1
  const hasLapsed = lease !== undefined && !lease.holds
  const note = failed
    ? 'cannot write to its disk'
    : backlog === 0
      ? 'everything was sent'
      : `${Math.ceil(backlog / 1024)} kB not sent yet`
  return [
    {
      hop: 'gateway',
      id,
      state: !isReady ? 'broken' : hasLapsed ? 'slow' : 'ok',
      note: !isReady
        ? reasons.join('; ') || 'not ready'
        : hasLapsed
          ? `ready, but its lease at AWS IoT has run out: ${lease.note}`
          : HOP_NOTES.gateway,
      ms,
    },
    {
      hop: 'journal',
      id,
      state: failed ? 'broken' : age > UNSENT_SLOW_S ? 'slow' : 'ok',
      note,
      age: Math.round(age * 1000),
    },
  ]
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url
}
