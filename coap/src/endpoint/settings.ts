import { ACK_RANDOM_FACTOR, ACK_TIMEOUT, EXCHANGE_LIFETIME, MAX_RETRANSMIT } from '../codec/parameters.ts'

/** Limits and times of one endpoint. Times in milliseconds, sizes in bytes. Every table has its limit here. */
export interface Settings {
  /** 16 random bytes or more: keys of hashes, tokens, message ids and the spread of retransmissions come from it. */
  readonly seed: Uint8Array
  /** How long a confirmable request may wait for its answer before an empty ACK goes out. Infinity: never. */
  readonly ackAfterMs: number
  /** RFC 7252 section 4.8. */
  readonly ackTimeoutMs: number
  readonly ackRandomFactor: number
  readonly maxRetransmit: number
  /** How long a message id and its answer are remembered, both for CON and for NON. */
  readonly exchangeLifetimeMs: number
  /** Exchanges remembered; a power of two. About 40 bytes each, taken as they come. */
  readonly exchangesMax: number
  /** Bytes of answers remembered with the exchanges: those with options or a payload. */
  readonly answerBytesMax: number
  /** Requests that may wait for the application; above, 5.03. */
  readonly pendingMax: number
  /** Confirmable messages of ours that may be on their way at a time; above, one is sent once and not repeated. */
  readonly transmissionsMax: number
  /** Max-Age of that 5.03, seconds, spread by a quarter from peer to peer. */
  readonly overloadMaxAge: number
  /** Largest datagram taken; above, 4.13. */
  readonly datagramMax: number
  /** Largest request body taken, also block by block; above, 4.13 with Size1. */
  readonly bodyMax: number
  /** Critical options that the application itself deals with, beside those of the endpoint. */
  readonly understood: readonly number[]
}

const defaults: Omit<Settings, 'seed'> = {
  ackAfterMs: 1_000,
  ackTimeoutMs: ACK_TIMEOUT,
  ackRandomFactor: ACK_RANDOM_FACTOR,
  maxRetransmit: MAX_RETRANSMIT,
  exchangeLifetimeMs: EXCHANGE_LIFETIME,
  exchangesMax: 1 << 20,
  answerBytesMax: 16 << 20,
  pendingMax: 16_384,
  transmissionsMax: 16_384,
  overloadMaxAge: 8,
  datagramMax: 1_280,
  bodyMax: 4_096,
  understood: [],
}

/** What a caller gives: the seed, and whatever should differ from the defaults. */
export type PartialSettings = Pick<Settings, 'seed'> & Partial<Settings>

/** Fills in the defaults. Throws RangeError for a seed or a table size that cannot be used. */
export function settingsOf(given: PartialSettings): Settings {
  const settings = { ...defaults, ...given }
  if (settings.seed.length < 16)
    throw new RangeError(`Failed to create an endpoint: seed of ${settings.seed.length} bytes`)
  const { exchangesMax } = settings
  if (exchangesMax < 16 || exchangesMax > 1 << 28 || (exchangesMax & (exchangesMax - 1)) !== 0) {
    throw new RangeError(`Failed to create an endpoint: exchangesMax is no power of two: ${exchangesMax}`)
  }
  return settings
}
