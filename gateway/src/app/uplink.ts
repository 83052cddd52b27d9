import { CODE } from '@pesebre/coap/codec/codes'
import type { Request, Response } from '@pesebre/coap/endpoint/types'
import type { Gateways } from '@pesebre/contract/check-in'
import { answerFormat, downlinkBody } from './downlink-body.ts'
import { downlinkOf, isEmpty, type Mailbox, type Plan, planAnswer, sentBy } from './mailbox.ts'
import type { Allow, Clock, Keep, LookUp, RetryAfter } from './ports.ts'
import { recordOf } from './record.ts'
import { Refusal } from './refusal.ts'
import { before, type CheckIn, checkInOf } from './uplink-body.ts'

export type SecurePorts = {
  keep: Keep
  allow: Allow
  retryAfter: RetryAfter
  clock: Clock
  lookUp: LookUp
  /** Told of the outcomes that a device has named, the highest command number first of all. */
  noteOutcome: (thing: string, n: number) => void
  /** Counts commands that were handed out. */
  onSent: (commands: number) => void
  gateways: Gateways | undefined
}

/** A request that was verified: who made it, its number. */
export type Verified = Request & { readonly principal: string; readonly sequence: number }

/**
 * `POST /u`, the check-in of a registered device. Answers 2.04 with what waits for the device once the report is kept; 4.00 for a
 * bad body, 4.03 for a device that is disabled or was never registered, 4.15, 4.29 and 5.03 with Max-Age.
 */
export function uplink(request: Verified, ports: SecurePorts): Promise<Response> | Response {
  const { principal: thing } = request
  const received = ports.clock()
  const kind = kindOf(thing)
  const checkIn = checkInOf(request.payload, request.contentFormat, { kind, arrival: received })
  const format = answerFormat(request)
  admit(thing, ports)
  const found = ports.lookUp(thing)
  if (found instanceof Promise) {
    // Other readings come while it waits, and are written where its own is.
    const own = { ...checkIn, json: checkIn.json?.slice() }
    return found.then((mailbox) => report({ request, checkIn: own, received, kind, format, mailbox }, ports))
  }
  return report({ request, checkIn, received, kind, format, mailbox: found }, ports)
}

/** Throws a Refusal with 4.29 when a device asks more often than it may. */
export function admit(thing: string, { allow, retryAfter }: SecurePorts): void {
  if (!allow(thing))
    throw new Refusal(CODE.TOO_MANY_REQUESTS, 'Too many reports', { retryAfter: retryAfter(thing) })
}

/** Throws a Refusal with 4.03 for a device that may not speak, where that is known. */
export function checkEnabled(mailbox: Mailbox | undefined): void {
  if (mailbox?.enabled === false) throw new Refusal(CODE.FORBIDDEN, 'Disabled')
}

/** The kind in a registered device's thing name: `feeder-1a2b3c4d`. */
export function kindOf(thing: string): string {
  return thing.slice(0, thing.lastIndexOf('-'))
}

type Report = {
  request: Verified
  checkIn: CheckIn
  received: number
  kind: string
  format: number
  mailbox: Mailbox | undefined
}

/** Not an `async` function, as in routes.ts: what waits for the disk is as small as it can be. */
function report(
  { request, checkIn, received, kind, format, mailbox }: Report,
  ports: SecurePorts,
): Promise<Response> {
  checkEnabled(mailbox)
  const { principal: thing, sequence: seq, size } = request
  const { at, json, outcomes, uplink } = checkIn
  const isSilent = uplink.no_reply === true
  const isAwaited = !request.noResponse && !isSilent
  const hasOutcomes = outcomes.length > 0
  const ackedUpto = hasOutcomes ? highest(outcomes.map(({ n }) => n)) : undefined
  const ackedMeal = hasOutcomes ? highest(outcomes.map(({ occurrence }) => occurrence)) : undefined
  if (ackedUpto !== undefined) ports.noteOutcome(thing, ackedUpto)
  const said = {
    acted: ackedUpto ?? 0,
    ackedUpto,
    ackedMeal,
    clock: uplink.clock,
    configVersion: uplink.config_version,
    firmwareVersion: uplink.firmware?.version,
  }
  const plan = planAnswer(isAwaited ? mailbox : undefined, said, { now: received, gateways: ports.gateways })
  const kept = ports.keep(
    recordOf({
      thing,
      type: kind,
      seq,
      at,
      received,
      state: json,
      changed: uplink.changed,
      outcomes: hasOutcomes
        ? outcomes.map(({ age_s = 0, ...outcome }) => ({ ...outcome, at: before(received, age_s) }))
        : undefined,
      config_version: uplink.config_version,
      firmware: uplink.firmware,
      sent: sentBy(plan),
      link: { size, interval_s: uplink.interval_s, answer: isAwaited ? undefined : false },
    }),
  )
  if (isSilent) return kept.then(silence)
  return isEmpty(plan) ? kept.then(nothing) : kept.then(() => answerOf(plan, format, ports))
}

/** `settled`: the journal holds the request's number, so that no copy of it is ever taken again. */
const NOTHING: Response = { code: CODE.CHANGED, settled: true }
const SILENCE: Response = { code: CODE.CHANGED, settled: true, silent: true }

/** What nearly every check-in is answered with. */
function nothing(): Response {
  return NOTHING
}

function silence(): Response {
  return SILENCE
}

function answerOf(plan: Plan, format: number, ports: SecurePorts): Response {
  const downlink = downlinkOf(plan, ports.clock())
  if (downlink.commands) ports.onSent(downlink.commands.length)
  return { code: CODE.CHANGED, ...downlinkBody(downlink, format), settled: true }
}

function highest(numbers: readonly (number | undefined)[]): number | undefined {
  const known = numbers.filter((number) => number !== undefined)
  return known.length === 0 ? undefined : Math.max(...known)
}
