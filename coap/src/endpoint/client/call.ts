import type { Option } from '../../codec/message.ts'
import { OPTION } from '../../codec/options.ts'
import { utf8 } from '../../codec/text.ts'
import { uintBytes } from '../../codec/uint.ts'
import type { Timed } from '../messaging/deadlines.ts'
import type { Transmission } from '../messaging/transmissions.ts'
import type { ProtectedCall } from '../security.ts'
import type { Call, OutgoingRequest } from '../types.ts'
import type { IncomingBody } from './incoming.ts'
import type { Contents } from './outgoing-body.ts'

/** What the endpoint knows of one request of ours until it has come to its end. */
export interface OpenCall extends Call, Timed {
  readonly peerHash: number
  /** Options of every message of this call. */
  readonly baseOptions: readonly Option[]
  readonly timeoutMs: number
  /** The token under which the answer, or the notifications, come. */
  readonly token: Uint8Array
  /** A token of its own for the later blocks of a notification (RFC 7959 section 3.4); otherwise the same. */
  fetchToken: Uint8Array
  transmission: Transmission | undefined
  /** What opens the responses under the token, and under a `fetchToken` that is another; the newest request of each counts. */
  sealed: ProtectedCall | undefined
  fetchSealed: ProtectedCall | undefined
  /** The newest message, to be sent once more if the peer asks for that, and how often it has. */
  contents: Contents | undefined
  challenges: number
  /** Block1: where the next block begins, the size exponent, and how many bytes the last one sent had. */
  offset: number
  szx: number
  sent: number
  readonly requestTag: Option | undefined
  body: IncomingBody | undefined
  /** How often the resource has changed while its blocks were fetched. */
  restarts: number
  isObserving: boolean
  /** Whether it waits for nothing but the next notification. */
  isIdle: boolean
  /** Order number and time of the newest notification. */
  sequence: number
  notifiedAt: number
  isOver: boolean
}

/** A call before its first message. Throws RangeError as `requestOptions` does. */
export function openCall(
  request: OutgoingRequest,
  given: Pick<OpenCall, 'peerHash' | 'timeoutMs' | 'token' | 'szx' | 'requestTag'>,
): OpenCall {
  return {
    ...given,
    request,
    baseOptions: requestOptions(request),
    fetchToken: given.token,
    transmission: undefined,
    sealed: undefined,
    fetchSealed: undefined,
    contents: undefined,
    challenges: 0,
    offset: 0,
    sent: 0,
    body: undefined,
    restarts: 0,
    isObserving: false,
    isIdle: false,
    sequence: 0,
    notifiedAt: 0,
    isOver: false,
    deadline: 0,
    place: -1,
  }
}

/** The options that say what is asked for, in no special order. Throws RangeError for text beyond 255 bytes. */
function requestOptions(request: OutgoingRequest): Option[] {
  const { path = [], query = [], contentFormat, accept, noResponse, options = [] } = request
  return [
    ...path.map((segment) => textOption(OPTION.URI_PATH, segment)),
    ...query.map((argument) => textOption(OPTION.URI_QUERY, argument)),
    ...uintOption(OPTION.CONTENT_FORMAT, contentFormat),
    ...uintOption(OPTION.ACCEPT, accept),
    ...uintOption(OPTION.NO_RESPONSE, noResponse),
    ...options,
  ]
}

export function uintOption(number: number, value: number | undefined): Option[] {
  return value === undefined ? [] : [{ number, value: uintBytes(value) }]
}

function textOption(number: number, text: string): Option {
  const value = utf8(text)
  if (value.length > 255) throw new RangeError(`Failed to make an option of length: ${value.length}`)
  return { number, value }
}
