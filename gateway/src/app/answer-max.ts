import { OPTION } from '@pesebre/coap/codec/options'
import type { Request } from '@pesebre/coap/endpoint/types'

/**
 * Bytes that may answer a request, the whole datagram: three times its own. Whoever asked may have given a false address
 * (design/promises.md S9).
 */
export function answerMax(request: Request): number {
  return 3 * datagramSize(request)
}

/** Bytes of the datagram that is answered, at least: of a body in blocks `size` is the whole, and the last block may be small. */
function datagramSize({ options, size }: Request): number {
  if (!options.some(({ number }) => number === OPTION.BLOCK1)) return size
  return options.reduce((sum, { value }) => sum + 1 + value.length, 4)
}
