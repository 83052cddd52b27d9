import { szxFor } from '../codec/block.ts'
import {
  ACK_RANDOM_FACTOR,
  ACK_TIMEOUT,
  EXCHANGE_LIFETIME,
  MAX_RETRANSMIT,
  MAX_TRANSMIT_WAIT,
} from '../codec/parameters.ts'
import type { Security } from './security.ts'

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
  /** Exchanges remembered; a power of two. About 50 bytes each, taken as they come. */
  readonly exchangesMax: number
  /**
   * Bytes of answers remembered with the exchanges: those with options or a payload, taken as they come. By default 16 for each of
   * `exchangesMax`, and 64 where there is `security`, since a protected answer is never without.
   */
  readonly answerBytesMax: number
  /**
   * Takes the memory for `exchangesMax` and `answerBytesMax` at once, which the system hands out as it is written to, instead of in
   * steps: each doubling copies what is there, 10 ms for 130,000 exchanges.
   */
  readonly preallocate: boolean
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
  /** Largest block sent and asked for: 16 to 1024. */
  readonly blockSizeMax: number
  /** Bodies being put together from blocks, in all and for one peer, and how long one may wait for its next block. */
  readonly uploadsMax: number
  readonly uploadsPerPeer: number
  readonly uploadLifetimeMs: number
  /** Answers kept to be fetched block by block: bytes in all, number for one peer, and how long since the last block. */
  readonly downloadBytesMax: number
  readonly downloadsPerPeer: number
  readonly downloadLifetimeMs: number
  /** Observers, in all and for one peer. */
  readonly observersMax: number
  readonly observersPerPeer: number
  /** A notification is confirmable when the observer has not acknowledged one for so long (RFC 7641 4.5: at most 24 h). */
  readonly confirmNotificationsMs: number
  /** Largest answer that the client role puts together from blocks. */
  readonly answerMax: number
  /** Requests of the client role that may be under way; above, `request` throws. */
  readonly callsMax: number
  /** How long the client role waits for an answer when a request does not say. */
  readonly answerTimeoutMs: number
  /** Critical options that the application itself deals with, beside those of the endpoint. */
  readonly understood: readonly number[]
  /** Opens protected requests; without it, one is refused as having an unknown critical option. */
  readonly security?: Security | undefined
}

const defaults: Omit<Settings, 'seed' | 'answerBytesMax'> = {
  ackAfterMs: 1_000,
  ackTimeoutMs: ACK_TIMEOUT,
  ackRandomFactor: ACK_RANDOM_FACTOR,
  maxRetransmit: MAX_RETRANSMIT,
  exchangeLifetimeMs: EXCHANGE_LIFETIME,
  exchangesMax: 1 << 20,
  preallocate: false,
  pendingMax: 16_384,
  transmissionsMax: 16_384,
  overloadMaxAge: 8,
  datagramMax: 1_280,
  bodyMax: 4_096,
  blockSizeMax: 1_024,
  uploadsMax: 1_024,
  uploadsPerPeer: 4,
  uploadLifetimeMs: 60_000,
  downloadBytesMax: 4 << 20,
  downloadsPerPeer: 4,
  downloadLifetimeMs: 60_000,
  observersMax: 10_000,
  observersPerPeer: 16,
  confirmNotificationsMs: 60_000,
  answerMax: 1 << 20,
  callsMax: 10_000,
  answerTimeoutMs: MAX_TRANSMIT_WAIT,
  understood: [],
}

/** What a caller gives: the seed, and whatever should differ from the defaults. */
export type PartialSettings = Pick<Settings, 'seed'> & Partial<Settings>

/** Fills in the defaults. Throws RangeError for a seed or a table size that cannot be used. */
export function settingsOf(given: PartialSettings): Settings {
  const { exchangesMax = defaults.exchangesMax, security } = given
  const answerBytesMax = exchangesMax * (security === undefined ? 16 : 64)
  const settings = { answerBytesMax, ...defaults, ...given }
  if (settings.seed.length < 16)
    throw new RangeError(`Failed to create an endpoint: seed of ${settings.seed.length} bytes`)
  if (exchangesMax < 16 || exchangesMax > 1 << 28 || (exchangesMax & (exchangesMax - 1)) !== 0) {
    throw new RangeError(`Failed to create an endpoint: exchangesMax is no power of two: ${exchangesMax}`)
  }
  szxFor(settings.blockSizeMax)
  return settings
}
