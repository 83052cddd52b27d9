import { formatCode, METHOD } from '@pesebre/coap/codec/codes'
import type { Request } from '@pesebre/coap/endpoint/types'
import { Refusal } from '../../../gateway/src/app/refusal.ts'

const encoder = new TextEncoder()

/** A POST of `{"a":1}` to /feeder/bella, as the endpoint hands it over, with whatever should differ. */
export function request(different: Partial<Request> = {}): Request {
  return {
    method: METHOD.POST,
    path: ['feeder', 'bella'],
    query: [],
    options: [],
    payload: utf8('{"a":1}'),
    peer: { address: '127.0.0.1', port: 5683 },
    confirmable: true,
    size: 80,
    noResponse: false,
    ...different,
  }
}

export function utf8(text: string): Uint8Array {
  return encoder.encode(text)
}

export function hex(text: string): Uint8Array {
  return Buffer.from(text.replaceAll(/\s/g, ''), 'hex')
}

/** What `run` is refused with, as `4.00 Empty body`. Anything else that it throws comes through. */
export function refusal(run: () => unknown): string {
  try {
    return `not refused: ${JSON.stringify(run())}`
  } catch (error) {
    if (error instanceof Refusal) return `${formatCode(error.code)} ${error.message}`
    throw error
  }
}
