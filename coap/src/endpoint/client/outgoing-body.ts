import { blockBytes, blockOf, blockSize, SZX_MAX, SZX_RESERVED } from '../../codec/block.ts'
import { CODE } from '../../codec/codes.ts'
import type { Message, Option } from '../../codec/message.ts'
import { OPTION } from '../../codec/options.ts'
import { size1 } from '../response.ts'
import { type OpenCall, uintOption } from './call.ts'
import { uintOf } from './incoming.ts'

/** What a message says, apart from its header. */
export type Contents = Pick<Message, 'token' | 'options' | 'payload'>

const NO_BYTES = new Uint8Array(0)

/** The request, or the block of it that is next (RFC 7959 section 2.5). */
export function nextRequest(call: OpenCall): Contents {
  const { token, request, requestTag, szx, offset } = call
  const { payload = NO_BYTES, observe } = request
  const options = [...call.baseOptions, ...uintOption(OPTION.OBSERVE, observe === true ? 0 : undefined)]
  if (requestTag === undefined) return { token, options, payload }
  const size = blockSize(szx)
  const part = payload.subarray(offset, offset + size)
  const block = { num: offset / size, more: offset + size < payload.length, szx }
  options.push({ number: OPTION.BLOCK1, value: blockBytes(block) }, requestTag)
  if (offset === 0) options.push(size1(payload.length))
  call.sent = part.length
  return { token, options, payload: part }
}

/** The request for the next block of the answer; smaller blocks than the server's may be asked for (section 2.4). */
export function nextFetch(call: OpenCall, szxMax: number): Contents {
  const szx = Math.min(call.body?.szx ?? SZX_MAX, szxMax)
  const block = { num: (call.body?.length ?? 0) / blockSize(szx), more: false, szx }
  const options: Option[] = call.baseOptions.filter(
    ({ number }) => number !== OPTION.CONTENT_FORMAT && number !== OPTION.BLOCK2,
  )
  options.push({ number: OPTION.BLOCK2, value: blockBytes(block) })
  if (call.requestTag !== undefined) options.push(call.requestTag)
  call.sent = 0
  return { token: call.fetchToken, options, payload: NO_BYTES }
}

/**
 * What a message means for the upload under way: `next` that its next block is due, `answer` that it is the answer to the whole,
 * `bad-block` that it makes no sense.
 */
export function uploadStep(call: OpenCall, { code, options }: Message): 'next' | 'answer' | 'bad-block' {
  const value = uintOf(options, OPTION.BLOCK1)
  const szx = value === undefined ? call.szx : blockOf(value).szx
  // A server may ask for smaller blocks with its first answer (section 2.3), also in a 4.13 (section 2.9.3).
  const isTooLarge = code === CODE.REQUEST_ENTITY_TOO_LARGE && call.offset === 0 && szx < call.szx
  if (code !== CODE.CONTINUE && !isTooLarge) return 'answer'
  if (code === CODE.CONTINUE) call.offset += call.sent
  if (value === undefined || szx === SZX_RESERVED) return 'bad-block'
  if (call.offset >= (call.request.payload?.length ?? 0)) return 'bad-block'
  call.szx = Math.min(szx, call.szx)
  return 'next'
}
