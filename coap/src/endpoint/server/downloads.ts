import { blockBytes, blockOf, blockSize, SZX_RESERVED, szxFor } from '../../codec/block.ts'
import { CODE, METHOD } from '../../codec/codes.ts'
import type { Option } from '../../codec/message.ts'
import { OPTION } from '../../codec/options.ts'
import { createDigest } from '../messaging/digest.ts'
import { ownerKey } from '../messaging/keys.ts'
import { diagnostic, etag, size2 } from '../response.ts'
import type { Settings } from '../settings.ts'
import type { Response } from '../types.ts'
import { PeerTable } from './peer-table.ts'
import { resourceKey, type Shape } from './received.ts'

/**
 * Cuts answers that are larger than a block (RFC 7959 section 2.4). The whole answer is kept for the peer that asked, bounded and
 * for a while, and later blocks come from there; when it is no longer there, the application is asked again (only for GET: the
 * others may have an effect). An answer without an ETag gets one made from its body, so that the peer notices a change.
 */
export class Downloads {
  readonly #szxMax: number
  readonly #table: PeerTable<Response>
  /** A constant key: two gateways give the same body the same tag. */
  readonly #digest = createDigest(new Uint8Array(8))

  constructor(settings: Settings) {
    this.#szxMax = szxFor(settings.blockSizeMax)
    this.#table = new PeerTable({
      weightMax: settings.downloadBytesMax,
      perPeer: settings.downloadsPerPeer,
      lifetimeMs: settings.downloadLifetimeMs,
    })
  }

  get count(): number {
    return this.#table.count
  }

  get evicted(): number {
    return this.#table.evicted
  }

  next(): number {
    return this.#table.next()
  }

  advance(now: number): void {
    this.#table.advance(now)
  }

  /**
   * Looks at a request that has a Block2 option, before the application sees it: the whole answer that a block is to be cut from,
   * or a refusal, or undefined if the application has to be asked.
   */
  answerFor(request: Shape, now: number): Response | undefined {
    const block = blockOf(request.block2)
    if (block.szx === SZX_RESERVED) return diagnostic(CODE.BAD_REQUEST, 'Block size 7')
    if (block.num === 0) return undefined
    const held = this.#table.get(keyOf(request), now)
    if (held !== undefined || request.method === METHOD.GET) return held
    return { code: CODE.REQUEST_ENTITY_INCOMPLETE }
  }

  /** The block of a whole answer that the request asks for, or the answer itself if it fits one block and none was asked for. */
  cut(request: Shape, whole: Response, now: number): Response {
    const { payload } = whole
    const asked = request.block2 < 0 ? { num: 0, szx: this.#szxMax } : blockOf(request.block2)
    const szx = Math.min(asked.szx, this.#szxMax)
    const size = blockSize(szx)
    const length = payload?.length ?? 0
    if (length <= size && request.block2 < 0) return whole
    // A block size smaller than the one asked for keeps the place: the number counts in our size then.
    const offset = asked.num * blockSize(asked.szx)
    if (payload === undefined || length === 0) return whole
    if (offset >= length) return diagnostic(CODE.BAD_REQUEST, 'No such block')
    const more = offset + size < length
    const block = { num: offset / size, more, szx }
    const options: Option[] = [...(whole.options ?? []), { number: OPTION.BLOCK2, value: blockBytes(block) }]
    if (length > size) {
      if (!options.some((option) => option.number === OPTION.ETAG)) options.push(this.#tag(payload))
      if (offset === 0) options.push(size2(length))
    }
    if (more && offset === 0) {
      this.#table.set(ownerKey(request), keyOf(request), { value: whole, weight: length }, now)
    }
    return { code: whole.code, options, payload: payload.subarray(offset, offset + size) }
  }

  #tag(payload: Uint8Array): Option {
    const digest = this.#digest
    digest.update('', 0, payload)
    const { low, high } = digest
    return etag(Uint8Array.of(low, low >> 8, low >> 16, low >> 24, high, high >> 8, high >> 16, high >> 24))
  }
}

function keyOf(request: Shape): string {
  return `${ownerKey(request)} ${request.accept} ${request.tag} ${resourceKey(request)}`
}
