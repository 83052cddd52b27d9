import { CODE } from '@pesebre/coap/codec/codes'
import { CONTENT_FORMAT } from '@pesebre/coap/codec/content-formats'
import { content, maxAge } from '@pesebre/coap/endpoint/response'
import type { Request, Response } from '@pesebre/coap/endpoint/types'
import type { NotReady } from './ports.ts'
import { Refusal } from './refusal.ts'

const NOT_READY_MAX_AGE_S = 5

const encoder = new TextEncoder()
const READY_JSON = encoder.encode('{"ready":true}')
/** {"ready": true} */
const READY_CBOR = Uint8Array.of(0xa1, 0x65, 0x72, 0x65, 0x61, 0x64, 0x79, 0xf5)

/** `GET /health`: 2.05 when reports are taken and delivered, else 5.03 with the reason. Small, since anyone may ask. */
export function health(request: Request, notReady: NotReady): Response {
  const reason = notReady()
  if (reason !== undefined) {
    return {
      code: CODE.SERVICE_UNAVAILABLE,
      options: [maxAge(NOT_READY_MAX_AGE_S)],
      payload: encoder.encode(reason),
    }
  }
  switch (request.accept ?? CONTENT_FORMAT.JSON) {
    case CONTENT_FORMAT.JSON:
      return content(CONTENT_FORMAT.JSON, READY_JSON)
    case CONTENT_FORMAT.CBOR:
      return content(CONTENT_FORMAT.CBOR, READY_CBOR)
  }
  throw new Refusal(CODE.NOT_ACCEPTABLE, 'Only Content-Format 50 and 60')
}
