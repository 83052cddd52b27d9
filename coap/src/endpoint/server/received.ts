import { CODE } from '../../codec/codes.ts'
import { decode, type Option, TYPE } from '../../codec/message.ts'
import { isCritical, isLengthAllowed, OPTION } from '../../codec/options.ts'
import type { Scan } from '../../codec/scan.ts'
import { readText } from '../../codec/text.ts'
import { readUint } from '../../codec/uint.ts'
import type { Peer, Request } from '../types.ts'

const NONE: readonly string[] = []

/** What of a request decides which answer it gets, and how that is cut into blocks. */
export interface Shape {
  readonly peer: Peer
  /** Who made it, where it came protected. */
  readonly principal?: string | undefined
  readonly method: number
  readonly path: readonly string[]
  readonly query: readonly string[]
  readonly accept?: number | undefined
  readonly tag: string
  readonly block2: number
}

/** The resource that a request is about, and the method, as one text. */
export function resourceKey({ method, path, query }: Shape): string {
  return `${method} ${path.length} ${path.join('\0')}\0${query.join('\0')}`
}

/** A request as it came, with what the endpoint itself needs of it beside what the application sees. */
export class Received implements Request, Shape {
  readonly method: number
  readonly confirmable: boolean
  readonly peer: Peer
  principal: string | undefined = undefined
  sequence: number | undefined = undefined
  path: readonly string[] = NONE
  query: readonly string[] = NONE
  contentFormat: number | undefined = undefined
  accept: number | undefined = undefined
  observe: number | undefined = undefined
  conditional = false
  size: number
  /** Bitmap of the response classes that are not wanted (RFC 7967 section 2.1). */
  unwanted = 0
  /** Values of Block1, Block2 and Size1, -1 where absent. */
  block1 = -1
  block2 = -1
  size1 = -1
  /** All Request-Tag values as one text, empty without any (RFC 9175 section 3). */
  tag = ''
  /** Number of the option for which the request was refused, -1 if none. */
  badOption = -1
  readonly #bytes: Uint8Array
  readonly #payloadStart: number
  #payload: Uint8Array | undefined = undefined
  #options: readonly Option[] | undefined = undefined

  constructor(bytes: Uint8Array, scan: Scan, peer: Peer) {
    this.method = scan.code
    this.confirmable = scan.type === TYPE.CON
    this.peer = peer
    this.size = bytes.length
    this.#bytes = bytes
    this.#payloadStart = scan.payloadStart
  }

  get noResponse(): boolean {
    return (this.unwanted & 2) !== 0
  }

  get payload(): Uint8Array {
    this.#payload ??= this.#bytes.subarray(this.#payloadStart)
    return this.#payload
  }

  get payloadLength(): number {
    return this.#bytes.length - this.#payloadStart
  }

  get options(): readonly Option[] {
    if (this.#options === undefined) {
      const decoded = decode(this.#bytes)
      this.#options = decoded.ok ? decoded.message.options : []
    }
    return this.#options
  }

  /** What is needed of it to send notifications later, without its bytes. */
  shape(): Shape {
    const { peer, principal, method, path, query, accept, tag, block2 } = this
    return { peer, principal, method, path, query, accept, tag, block2: block2 < 0 ? -1 : block2 & 7 }
  }

  /** Makes the request one with the whole body that came in blocks. */
  assembled(body: Uint8Array): void {
    this.#payload = body
    this.size = body.length
  }
}

/**
 * Reads the options of a request into it. Returns 0, or the code of the refusal that they call for:
 * 4.02 for a critical option that is unknown, repeated or has an impossible value (RFC 7252 section 5.4), or text that is not
 * UTF-8; 5.05 for a request to a proxy (section 5.10.2). Elective options that cannot be used are left out.
 */
export function readOptions(
  request: Received,
  bytes: Uint8Array,
  { scan, understood }: { scan: Scan; understood: ReadonlySet<number> },
): number {
  const { optionCount, numbers, starts, ends } = scan
  let segments = 0
  let args = 0
  for (let i = 0; i < optionCount; i++) {
    if (numbers[i] === OPTION.URI_PATH) segments++
    else if (numbers[i] === OPTION.URI_QUERY) args++
  }
  const path = segments === 0 ? NONE : new Array<string>(segments)
  const query = args === 0 ? NONE : new Array<string>(args)
  request.path = path
  request.query = query
  segments = 0
  args = 0
  let previous = -1
  let refusal = 0
  for (let i = 0; i < optionCount; i++) {
    const number = numbers[i]!
    const start = starts[i]!
    const end = ends[i]!
    const isRepeat = number === previous
    previous = number
    if (!isLengthAllowed(number, end - start)) {
      if (isCritical(number)) return refuse(request, number)
      continue
    }
    if (number === OPTION.URI_PATH) {
      const segment = readText(bytes, start, end)
      // "." and ".." are not allowed in a Uri-Path (section 5.10.1): they would climb out of a name.
      if (segment === undefined || segment === '.' || segment === '..') return refuse(request, number)
      ;(path as string[])[segments++] = segment
    } else if (number === OPTION.URI_QUERY) {
      const argument = readText(bytes, start, end)
      if (argument === undefined) return refuse(request, number)
      ;(query as string[])[args++] = argument
    } else if (number === OPTION.CONTENT_FORMAT) {
      if (!isRepeat) request.contentFormat = readUint(bytes, start, end)
    } else {
      const code = readOther(request, number, isRepeat, readUintOf(number, bytes, start, end))
      if (code === CODE.BAD_OPTION && understood.has(number)) continue
      if (code === CODE.BAD_OPTION) return refuse(request, number)
      if (code !== 0) refusal = code
      if (number === OPTION.REQUEST_TAG) request.tag += tagText(bytes, start, end)
    }
  }
  return refusal
}

/** The rarer options, each already of an allowed length. */
function readOther(request: Received, number: number, isRepeat: boolean, value: number): number {
  switch (number) {
    case OPTION.ACCEPT:
      request.accept = value
      break
    case OPTION.BLOCK1:
      request.block1 = value
      break
    case OPTION.BLOCK2:
      request.block2 = value
      break
    case OPTION.URI_HOST:
    case OPTION.URI_PORT:
      break
    case OPTION.IF_NONE_MATCH:
      request.conditional = true
      break
    case OPTION.IF_MATCH:
      request.conditional = true
      return 0
    case OPTION.PROXY_URI:
    case OPTION.PROXY_SCHEME:
      return CODE.PROXYING_NOT_SUPPORTED
    case OPTION.OBSERVE:
      if (!isRepeat) request.observe = value
      return 0
    case OPTION.SIZE1:
      if (!isRepeat) request.size1 = value
      return 0
    case OPTION.NO_RESPONSE:
      if (!isRepeat) request.unwanted = value
      return 0
    default:
      return isCritical(number) ? CODE.BAD_OPTION : 0
  }
  // A second instance of an option that is not repeatable counts as one that is not known (section 5.4.5).
  return isRepeat ? CODE.BAD_OPTION : 0
}

function refuse(request: Received, number: number): number {
  request.badOption = number
  return CODE.BAD_OPTION
}

function readUintOf(number: number, bytes: Uint8Array, start: number, end: number): number {
  return number < OPTION.PROXY_URI || number === OPTION.SIZE1 || number === OPTION.NO_RESPONSE
    ? readUint(bytes, start, Math.min(end, start + 4))
    : 0
}

function tagText(bytes: Uint8Array, start: number, end: number): string {
  return `${String.fromCharCode(...bytes.subarray(start, end))}/`
}
