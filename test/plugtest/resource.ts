import { CODE } from '@pesebre/coap/codec/codes'
import { CONTENT_FORMAT } from '@pesebre/coap/codec/content-formats'
import type { Link } from '@pesebre/coap/codec/link-format'
import { OPTION } from '@pesebre/coap/codec/options'
import { utf8 } from '@pesebre/coap/codec/text'
import { content } from '@pesebre/coap/endpoint/response'
import type { Request, Response } from '@pesebre/coap/endpoint/types'

/** A new state of an observed resource, for those who observe it. An answer that is not 2.xx is their last. */
export type Notification = { readonly resource: string; readonly response: Response }

/** What becomes of a request: the response, and what else the server does because of it. */
export type Reply = Response & {
  /** The response goes out only after so many milliseconds, so that the request is acknowledged on its own before. */
  readonly afterMs?: number
  /** To be sent once the response is out. */
  readonly notifications?: readonly Notification[]
  /** The server forgets everything that it knows of its peers, as if it had been switched off and on. */
  readonly reboot?: boolean
}

/** Pure but for the state of its own resource: no clock, no I/O. */
export type Handler = (request: Request) => Reply

export type Resource = {
  /** Without the leading slash. */
  readonly path: string
  /** Whether only those who have proven that they have a key get at it; the others get 4.01. */
  readonly isProtected?: boolean
  /** Its entry in /.well-known/core; undefined for one that is not listed there. */
  readonly attributes?: () => Link['attributes'] | undefined
  /** Whether it exists, for If-Match and If-None-Match; without this, it does. */
  readonly exists?: () => boolean
  /** The ETag of its representation, for If-Match. */
  readonly tag?: () => Uint8Array | undefined
  readonly get?: Handler
  readonly post?: Handler
  readonly put?: Handler
  readonly delete?: Handler
  /** Resources below it that come and go. */
  readonly children?: () => readonly Resource[]
  /** Takes its next state, and says who has to know. */
  readonly tick?: () => readonly Notification[]
}

/** A representation: bytes and their Content-Format. */
export type Representation = { readonly format: number; readonly payload: Uint8Array }

export function textOf(text: string): Representation {
  return { format: CONTENT_FORMAT.TEXT, payload: utf8(text) }
}

/** What a PUT or POST carries, with bytes of its own; text where it does not say its format. */
export function bodyOf({ contentFormat = CONTENT_FORMAT.TEXT, payload }: Request): Representation {
  return { format: contentFormat, payload: payload.slice() }
}

/** 2.05 with a representation. */
export function shown({ format, payload }: Representation, options: Response['options'] = []): Response {
  return content(format, payload, options)
}

/** Values of the options of one number. */
export function valuesOf(request: Pick<Request, 'options'>, number: number): Uint8Array[] {
  return request.options.filter((option) => option.number === number).map(({ value }) => value)
}

/** Whether the conditions of a request hold (RFC 7252 section 5.10.8). */
export function isMet(resource: Resource, request: Request): boolean {
  const exists = resource.exists?.() ?? true
  if (exists && valuesOf(request, OPTION.IF_NONE_MATCH).length > 0) return false
  const wanted = valuesOf(request, OPTION.IF_MATCH)
  if (wanted.length === 0) return true
  const tag = resource.tag?.()
  // An empty value asks for no more than that the resource exists.
  return exists && wanted.some((value) => value.length === 0 || (tag !== undefined && isEqual(value, tag)))
}

/** The answer to a GET as the requester can take it: 4.06 for a format not accepted, 2.03 for one that he has already. */
export function negotiated(reply: Reply, request: Request): Reply {
  if (reply.code !== CODE.CONTENT) return reply
  const format = reply.options?.find(({ number }) => number === OPTION.CONTENT_FORMAT)
  const number = format?.value.reduce((value, byte) => value * 256 + byte, 0)
  if (request.accept !== undefined && request.accept !== number) return { code: CODE.NOT_ACCEPTABLE }
  const tag = reply.options?.find(({ number }) => number === OPTION.ETAG)
  if (tag === undefined) return reply
  const isKnown = valuesOf(request, OPTION.ETAG).some((value) => isEqual(value, tag.value))
  if (!isKnown) return reply
  return {
    code: CODE.VALID,
    options: reply.options!.filter((option) => option === tag || option.number === OPTION.MAX_AGE),
  }
}

export function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at])
}
