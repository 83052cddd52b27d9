import { CODE } from '@pesebre/coap/codec/codes'
import { CONTENT_FORMAT } from '@pesebre/coap/codec/content-formats'
import { filterLinks, formatLinks, type Link } from '@pesebre/coap/codec/link-format'
import { content } from '@pesebre/coap/endpoint/response'
import type { Request, Response } from '@pesebre/coap/endpoint/types'
import { Refusal } from './refusal.ts'

/** Short on purpose: the answer to anyone's datagram is at most three times its size. */
const HEALTH: Link = { href: '/health', attributes: { rt: 'health', ct: '50' } }
const REPORT: Link = { href: '/', attributes: { rt: 'report' } }

/** `GET /.well-known/core` (RFC 6690): what the gateway offers, filtered by the query. */
export function discovery(request: Request, allowOpen: boolean): Response {
  if (request.accept !== undefined && request.accept !== CONTENT_FORMAT.LINK_FORMAT)
    throw new Refusal(CODE.NOT_ACCEPTABLE, 'Only Content-Format 40')
  const links = filterLinks(allowOpen ? [HEALTH, REPORT] : [HEALTH], request.query)
  return content(CONTENT_FORMAT.LINK_FORMAT, encoder.encode(formatLinks(links)))
}

const encoder = new TextEncoder()
