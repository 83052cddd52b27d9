import { CODE } from '@pesebre/coap/codec/codes'
import type { Request, Response } from '@pesebre/coap/endpoint/types'
import { isSecureName } from '@pesebre/contract/kid'
import { isThingName } from '@pesebre/contract/names'
import { type Reading, readingsOf } from './body.ts'
import type { Allow, Clock, Keep, NextSeq, RetryAfter } from './ports.ts'
import { recordOf } from './record.ts'
import { Refusal } from './refusal.ts'

const CHANGED: Response = { code: CODE.CHANGED }

export type OpenReportPorts = {
  keep: Keep
  nextSeq: NextSeq
  allow: Allow
  retryAfter: RetryAfter
  clock: Clock
}

/**
 * `POST /{type}/{id}`, the open form: a report of any thing, without security.
 * Answers 2.04 once it is kept; 4.00 for a bad name or body, 4.02 for a condition, 4.03 for the name of a registered device, 4.15,
 * 4.29 and 5.03 with Max-Age.
 */
export function openReport(request: Request, ports: OpenReportPorts): Promise<Response> {
  const [type, thing] = request.path as [string, string]
  if (request.conditional) throw new Refusal(CODE.BAD_OPTION, 'Reports know no If-Match')
  if (!isThingName(type)) throw new Refusal(CODE.BAD_REQUEST, 'Type must be 1 to 128 of a-z A-Z 0-9 : _ -')
  if (!isThingName(thing)) throw new Refusal(CODE.BAD_REQUEST, 'Id must be 1 to 128 of a-z A-Z 0-9 : _ -')
  // A name that looks like a registered device's is one, as far as we can tell: only its key may speak for it (S1).
  if (isSecureName(thing)) throw new Refusal(CODE.FORBIDDEN, 'Registered device: OSCORE only')
  const received = ports.clock()
  const readings = readingsOf(request.payload, request.contentFormat, received)
  // After the body was found good: what anyone sends in a device's name, and is refused, does not use up its allowance.
  if (!ports.allow(thing)) {
    throw new Refusal(CODE.TOO_MANY_REQUESTS, 'Too many reports', { retryAfter: ports.retryAfter(thing) })
  }
  const link = { size: request.size, answer: request.noResponse ? (false as const) : undefined }
  const keepReading = ({ at, json: state }: Reading): Promise<void> =>
    ports.keep(recordOf({ thing, type, seq: ports.nextSeq(), at, received, state, link }))
  // Only a SenML pack has more than one.
  const kept: Promise<unknown> =
    readings.length === 1 ? keepReading(readings[0]!) : Promise.all(readings.map(keepReading))
  return kept.then(changed)
}

function changed(): Response {
  return CHANGED
}
