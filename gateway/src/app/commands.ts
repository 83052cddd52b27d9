import { CODE } from '@pesebre/coap/codec/codes'
import { CONTENT_FORMAT } from '@pesebre/coap/codec/content-formats'
import type { Response } from '@pesebre/coap/endpoint/types'
import { answerFormat, downlinkBody } from './downlink-body.ts'
import { downlinkOf, type Mailbox, type Plan, planAnswer, sentBy } from './mailbox.ts'
import { recordOf } from './record.ts'
import { admit, checkEnabled, kindOf, type SecurePorts, type Verified } from './uplink.ts'

/** Name of a device's mailbox among what can be observed. */
export function mailboxResource(thing: string): string {
  return `commands ${thing}`
}

/**
 * `GET /commands`, for devices that stay awake: what waits for the device, and notifications when that changes. The request goes
 * into the journal like a report, without state: so a record of it that somebody has cannot be used after a crash.
 */
export function commands(request: Verified, ports: SecurePorts): Promise<Response> | Response {
  const { principal: thing } = request
  const format = answerFormat(request)
  admit(thing, ports)
  const answer = (mailbox: Mailbox | undefined): Promise<Response> =>
    handOut(request, { mailbox, format }, ports)
  const found = ports.lookUp(thing)
  return found instanceof Promise ? found.then(answer) : answer(found)
}

async function handOut(
  request: Verified,
  { mailbox, format }: { mailbox: Mailbox | undefined; format: number },
  ports: SecurePorts,
): Promise<Response> {
  checkEnabled(mailbox)
  const { principal: thing, sequence: seq, size } = request
  const received = ports.clock()
  const plan = planAnswer(mailbox, { acted: 0 }, { now: received })
  const link = { size }
  await ports.keep(
    recordOf({ thing, type: kindOf(thing), seq, at: received, received, sent: sentBy(plan), link }),
  )
  return { ...mailboxContent(plan, format, ports), observe: mailboxResource(thing), settled: true }
}

/** The state of a mailbox as a notification, in CBOR. A device that is disabled gets its last: 4.03. */
export function mailboxNotification(mailbox: Mailbox, ports: SecurePorts): Response {
  if (!mailbox.enabled) return { code: CODE.FORBIDDEN }
  const plan = planAnswer(mailbox, { acted: 0 }, { now: ports.clock() })
  return mailboxContent(plan, CONTENT_FORMAT.CBOR, ports)
}

function mailboxContent(plan: Plan, format: number, { clock, onSent }: SecurePorts): Response {
  const downlink = downlinkOf(plan, clock())
  if (downlink.commands) onSent(downlink.commands.length)
  return { code: CODE.CONTENT, ...downlinkBody(downlink, format) }
}
