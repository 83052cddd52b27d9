import { CODE } from '@pesebre/coap/codec/codes'
import { CONTENT_FORMAT } from '@pesebre/coap/codec/content-formats'
import { content, maxAge } from '@pesebre/coap/endpoint/response'
import type { Request, Response } from '@pesebre/coap/endpoint/types'
import { Encoder } from 'cbor-x'
import { answerMax } from './answer-max.ts'
import type { NotReady } from './ports.ts'
import { Refusal } from './refusal.ts'

const NOT_READY_MAX_AGE_S = 5

/** Header, longest token, Content-Format, payload marker. */
const OVERHEAD = 4 + 8 + 2 + 1
const encoder = new TextEncoder()
const READY_JSON = encoder.encode('{"ready":true}')
const cbor = new Encoder({ useRecords: false, variableMapSize: true })

export type HealthPorts = {
  readonly notReady: NotReady
  readonly allowOpen: boolean
  readonly secure?: object | undefined
}

/**
 * `GET /health`: 2.05 when reports are taken and delivered, else 5.03 with the reason; and whether reports without and with
 * security are taken. Small, since anyone may ask: a question too short for all of it gets the first word only.
 */
export function health(request: Request, { notReady, allowOpen, secure }: HealthPorts): Response {
  const reason = notReady()
  if (reason !== undefined) {
    return {
      code: CODE.SERVICE_UNAVAILABLE,
      options: [maxAge(NOT_READY_MAX_AGE_S)],
      payload: encoder.encode(reason),
    }
  }
  const facts = { ready: true, open: allowOpen, oscore: secure !== undefined }
  const fits = (whole: Uint8Array, short: Uint8Array): Uint8Array =>
    OVERHEAD + whole.length <= answerMax(request) ? whole : short
  switch (request.accept ?? CONTENT_FORMAT.JSON) {
    case CONTENT_FORMAT.JSON:
      return content(CONTENT_FORMAT.JSON, fits(encoder.encode(JSON.stringify(facts)), READY_JSON))
    case CONTENT_FORMAT.CBOR:
      return content(CONTENT_FORMAT.CBOR, fits(cbor.encode(facts), cbor.encode({ ready: true })))
  }
  throw new Refusal(CODE.NOT_ACCEPTABLE, 'Only Content-Format 50 and 60')
}
