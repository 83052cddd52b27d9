import { CODE } from '@pesebre/coap/codec/codes'
import type { Request, Response } from '@pesebre/coap/endpoint/types'
import { isThingName } from '@pesebre/contract/names'
import { type Reading, readingsOf } from './body.ts'
import type { Allow, Clock, Keep, NextSeq, RetryAfter } from './ports.ts'
import { Refusal } from './refusal.ts'

const CHANGED: Response = { code: CODE.CHANGED }

/** SQS takes no U+FFFE and U+FFFF (Amazon SQS API Reference, SendMessage); JSON can say them in escapes. */
const NOT_XML = /[\uFFFE\uFFFF]/g

export type OpenReportPorts = {
  keep: Keep
  nextSeq: NextSeq
  allow: Allow
  retryAfter: RetryAfter
  clock: Clock
}

/**
 * `POST /{type}/{id}`, the open form: a report of any thing, without security.
 * Answers 2.04 once it is kept; 4.00 for a bad name or body, 4.02 for a condition, 4.15,
 * 4.29 and 5.03 with Max-Age.
 */
export function openReport(request: Request, ports: OpenReportPorts): Promise<Response> {
  const [type, thing] = request.path as [string, string]
  if (request.conditional) throw new Refusal(CODE.BAD_OPTION, 'Reports know no If-Match')
  if (!isThingName(type)) throw new Refusal(CODE.BAD_REQUEST, 'Type must be 1 to 128 of a-z A-Z 0-9 : _ -')
  if (!isThingName(thing)) throw new Refusal(CODE.BAD_REQUEST, 'Id must be 1 to 128 of a-z A-Z 0-9 : _ -')
  const received = ports.clock()
  const readings = readingsOf(request.payload, request.contentFormat, received)
  // After the body was found good: what anyone sends in a device's name, and is refused, does not use up its allowance.
  if (!ports.allow(thing)) {
    throw new Refusal(CODE.TOO_MANY_REQUESTS, 'Too many reports', { retryAfter: ports.retryAfter(thing) })
  }
  const keepReading = ({ at, json: state }: Reading): Promise<void> => {
    const head = `{"thing":"${thing}","type":"${type}","seq":${ports.nextSeq()},"at":${at},"received":${received}`
    const answer = request.noResponse ? ',"answer":false' : ''
    const json = `${head},"state":${state},"link":{"size":${request.size}${answer}}}`
    return ports.keep(json.replace(NOT_XML, escapeForSqs))
  }
  // Only a SenML pack has more than one.
  const kept: Promise<unknown> =
    readings.length === 1 ? keepReading(readings[0]!) : Promise.all(readings.map(keepReading))
  return kept.then(changed)
}

function changed(): Response {
  return CHANGED
}

function escapeForSqs(character: string): string {
  return character === '\uFFFE' ? '\\ufffe' : '\\uffff'
}
