import { CODE } from '@pesebre/coap/codec/codes'
import { CONTENT_FORMAT } from '@pesebre/coap/codec/content-formats'
import { contentFormat } from '@pesebre/coap/endpoint/response'
import type { Request, Response } from '@pesebre/coap/endpoint/types'
import type { Downlink } from '@pesebre/contract/check-in'
import { numberDownlink } from '@pesebre/contract/numbered'
import { Encoder } from 'cbor-x'
import { Refusal } from './refusal.ts'

const cbor = new Encoder({ mapsAsObjects: false, useRecords: false, tagUint8Array: false })
const text = new TextEncoder()

/** The format of the answer: what is asked for with Accept, else that of the request; CBOR unless JSON. Throws a Refusal with 4.06. */
export function answerFormat({ accept, contentFormat }: Request): number {
  if (accept !== undefined && accept !== CONTENT_FORMAT.CBOR && accept !== CONTENT_FORMAT.JSON)
    throw new Refusal(CODE.NOT_ACCEPTABLE, 'Only Content-Format 60 and 50')
  const isJson = accept === undefined && isJsonFormat(contentFormat)
  return isJson ? CONTENT_FORMAT.JSON : (accept ?? CONTENT_FORMAT.CBOR)
}

function isJsonFormat(format: number | undefined): boolean {
  return format === CONTENT_FORMAT.JSON || format === CONTENT_FORMAT.SENML_JSON
}

/** Options and payload of an answer. One that has nothing to say has no body. */
export function downlinkBody(downlink: Downlink, format: number): Pick<Response, 'options' | 'payload'> {
  const numbered = numberDownlink(downlink)
  if (numbered.size === 0) return {}
  const payload =
    format === CONTENT_FORMAT.JSON ? text.encode(JSON.stringify(downlink)) : cbor.encode(numbered)
  return { options: [contentFormat(format)], payload }
}
