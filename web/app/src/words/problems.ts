/** Problem documents of the API as sentences for people. */
import type { Problem } from '../data/client.ts'
import type { Words } from './en.ts'

type Said = Pick<Problem, 'status' | 'kind' | 'fields'>

/** What happened and what to do. English detail of the server is never shown: it is for people who debug. */
export function sayProblem(w: Words, { status, kind, fields }: Said): string {
  const { problem } = w
  if (kind === 'network')
    return String(fields['detail']).includes('Timeout') ? problem.timeout : problem.network
  const refusal = typeof fields['reason'] === 'string' ? sayRefusal(w, fields, fields['reason']) : undefined
  if (refusal !== undefined) return refusal
  if (kind === 'wrong-credentials') return w.login.wrong
  if (status === 401) return problem.unauthorized
  if (status === 403) return problem.forbidden
  if (status === 404 || status === 410) return problem.missing
  if (status === 409 || status === 412) return problem.conflict
  if (status === 429) {
    const wait = fields['retryAfter']
    return typeof wait === 'number' ? problem.tooMany(seconds(w, wait)) : problem.tooManyPlain
  }
  if (status === 503 || status === 502 || status === 504) return problem.unavailable
  return status >= 500 ? problem.server : problem.invalid
}

function sayRefusal(w: Words, fields: Said['fields'], reason: string): string | undefined {
  const { refusal } = w
  const grams = (name: string) => `${fields[name] ?? '?'} g`
  if (reason === 'portion' || reason === 'override') return refusal[reason](grams('max'))
  if (reason === 'daily') return refusal.daily(grams('left'))
  if (reason === 'gap') return refusal.gap(seconds(w, Number(fields['wait'] ?? fields['retryAfter'] ?? 60)))
  return Object.hasOwn(refusal, reason) ? refusal[reason as Plain] : undefined
}

type Plain = Exclude<keyof Words['refusal'], 'portion' | 'override' | 'daily' | 'gap'>

function seconds({ unit }: Words, count: number): string {
  return count < 90 ? `${Math.ceil(count)} ${unit.s}` : `${Math.ceil(count / 60)} ${unit.min}`
}

/** Why a feeder refused, in words. */
export function sayReason({ reason }: Words, code: string): string {
  const known =
    Object.hasOwn(reason, code) && code !== 'other'
      ? reason[code as Exclude<keyof typeof reason, 'other'>]
      : undefined
  return known ?? reason.other(code)
}
