import { CODE } from '@pesebre/coap/codec/codes'
import { CONTENT_FORMAT } from '@pesebre/coap/codec/content-formats'
import { filterLinks, formatLinks, type Link } from '@pesebre/coap/codec/link-format'
import { content } from '@pesebre/coap/endpoint/response'
import type { Request, Response } from '@pesebre/coap/endpoint/types'
import { answerMax } from './answer-max.ts'
import { Refusal } from './refusal.ts'

/** Short on purpose: the answer to anyone's datagram is at most three times its size. */
const HEALTH: Link = { href: '/health', attributes: { rt: 'health', ct: '50' } }
const REPORT: Link = { href: '/', attributes: { rt: 'report' } }

/** `osc`: only with OSCORE (RFC 8613 section 9). */
const UPLINK: Link = { href: '/u', attributes: { osc: true } }
const COMMANDS: Link = { href: '/commands', attributes: { osc: true, obs: true } }
/** Header, longest token, Content-Format, payload marker. */
const OVERHEAD = 4 + 8 + 2 + 1

/** `GET /.well-known/core` (RFC 6690): what the gateway offers, filtered by the query. A question too short for all gets less. */
export function discovery(request: Request, { open, secure }: { open: boolean; secure: boolean }): Response {
  if (request.accept !== undefined && request.accept !== CONTENT_FORMAT.LINK_FORMAT)
    throw new Refusal(CODE.NOT_ACCEPTABLE, 'Only Content-Format 40')
  const few = open ? [HEALTH, REPORT] : [HEALTH]
  const listed = (links: Link[]): Uint8Array => encoder.encode(formatLinks(filterLinks(links, request.query)))
  const all = secure ? listed([...few, UPLINK, COMMANDS]) : listed(few)
  const isTooLong = secure && OVERHEAD + all.length > answerMax(request)
  return content(CONTENT_FORMAT.LINK_FORMAT, isTooLong ? listed(few) : all)
}

const encoder = new TextEncoder()
