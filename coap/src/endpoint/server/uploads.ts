import { type Block, blockBytes, blockOf, blockSize, SZX_RESERVED, szxFor } from '../../codec/block.ts'
import { CODE } from '../../codec/codes.ts'
import type { Option } from '../../codec/message.ts'
import { OPTION } from '../../codec/options.ts'
import { ownerKey } from '../messaging/keys.ts'
import { diagnostic, size1 } from '../response.ts'
import type { Settings } from '../settings.ts'
import type { Response } from '../types.ts'
import { PeerTable } from './peer-table.ts'
import { type Received, resourceKey } from './received.ts'

/** A body of which some blocks have come. */
interface Upload {
  buffer: Uint8Array
  length: number
  readonly contentFormat: number | undefined
}

/** What to do with one block: answer it, or, with the last one, hand the request with its whole body to the application. */
export type UploadStep = { readonly answer: Response } | { readonly body: Uint8Array; readonly block: Option }

const NO_BYTES = new Uint8Array(0)

/**
 * Puts bodies together that come block by block (RFC 7959 section 2.5). The blocks of one body are known by peer (or principal), method,
 * path, query and Request-Tag (RFC 9175 section 3), never by token: clients use a new one for each block.
 */
export class Uploads {
  readonly #settings: Settings
  readonly #szxMax: number
  readonly #table: PeerTable<Upload>

  constructor(settings: Settings) {
    this.#settings = settings
    this.#szxMax = szxFor(settings.blockSizeMax)
    this.#table = new PeerTable({
      weightMax: settings.uploadsMax,
      perPeer: settings.uploadsPerPeer,
      lifetimeMs: settings.uploadLifetimeMs,
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

  /** Takes a request that has a Block1 option. */
  take(request: Received, now: number): UploadStep {
    const block = blockOf(request.block1)
    const { payload } = request
    const size = blockSize(block.szx)
    if (block.szx === SZX_RESERVED) return refuse(CODE.BAD_REQUEST, 'Block size 7')
    if (block.more ? payload.length !== size : payload.length > size) {
      return refuse(CODE.BAD_REQUEST, 'Block not filled')
    }
    const key = `${ownerKey(request)} ${request.tag} ${resourceKey(request)}`
    const offset = block.num * size
    const end = offset + payload.length
    const { bodyMax } = this.#settings
    if (request.size1 > bodyMax || end > bodyMax || (block.more && end === bodyMax)) {
      this.#table.delete(key)
      return { answer: { code: CODE.REQUEST_ENTITY_TOO_LARGE, options: [size1(bodyMax), this.#echo(block)] } }
    }
    if (block.num === 0 && !block.more) {
      this.#table.delete(key)
      return { body: payload, block: this.#echo(block) }
    }
    const upload = block.num === 0 ? this.#begin(request, key, now) : this.#table.get(key, now)
    // Behind a gap, or of an upload that is not known: the client may still send what is missing, or begin anew.
    if (upload === undefined || offset > upload.length) return this.#incomplete(block)
    const isSame = upload.contentFormat === request.contentFormat && agrees(upload, offset, payload)
    if (!isSame || (!block.more && end < upload.length)) {
      this.#table.delete(key)
      return this.#incomplete(block)
    }
    append(upload, offset, payload)
    if (block.more) return { answer: { code: CODE.CONTINUE, options: [this.#echo(block)] } }
    this.#table.delete(key)
    return { body: upload.buffer.subarray(0, upload.length), block: this.#echo(block) }
  }

  /** Block 0 begins anew (section 2.5), whatever came before it. */
  #begin(request: Received, key: string, now: number): Upload {
    const upload = { buffer: NO_BYTES, length: 0, contentFormat: request.contentFormat }
    this.#table.set(ownerKey(request), key, { value: upload, weight: 1 }, now)
    return upload
  }

  /** The option of the answer: the block that is meant, and a smaller size if ours is smaller (section 2.3). */
  #echo(block: Block): Option {
    const szx = Math.min(block.szx, this.#szxMax)
    return { number: OPTION.BLOCK1, value: blockBytes({ num: block.num, more: block.more, szx }) }
  }

  #incomplete(block: Block): UploadStep {
    return { answer: { code: CODE.REQUEST_ENTITY_INCOMPLETE, options: [this.#echo(block)] } }
  }
}

/** Whether what comes a second time says the same as the first time. */
function agrees(upload: Upload, offset: number, payload: Uint8Array): boolean {
  const end = Math.min(offset + payload.length, upload.length)
  for (let at = offset; at < end; at++) if (upload.buffer[at] !== payload[at - offset]) return false
  return true
}

function append(upload: Upload, offset: number, payload: Uint8Array): void {
  const end = offset + payload.length
  if (end <= upload.length) return
  if (end > upload.buffer.length) {
    const larger = new Uint8Array(Math.max(end, upload.buffer.length * 2))
    larger.set(upload.buffer.subarray(0, upload.length))
    upload.buffer = larger
  }
  upload.buffer.set(payload, offset)
  upload.length = end
}

function refuse(code: number, text: string): UploadStep {
  return { answer: diagnostic(code, text) }
}
