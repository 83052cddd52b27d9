/**
 * Transmission parameters of RFC 7252 section 4.8, under the RFC's names. Times in milliseconds.
 * Section 4.8.2 derives the rest; they are computed here as it says.
 */
export const ACK_TIMEOUT = 2_000
export const ACK_RANDOM_FACTOR = 1.5
export const MAX_RETRANSMIT = 4
export const NSTART = 1
export const DEFAULT_LEISURE = 5_000

/** Longest time a datagram is expected to travel. */
export const MAX_LATENCY = 100_000
/** Time from receiving a confirmable message to acknowledging it. */
export const PROCESSING_DELAY = ACK_TIMEOUT
/** From the first transmission of a confirmable message to its last retransmission. */
export const MAX_TRANSMIT_SPAN = ACK_TIMEOUT * (2 ** MAX_RETRANSMIT - 1) * ACK_RANDOM_FACTOR
/** From the first transmission of a confirmable message to giving up. */
export const MAX_TRANSMIT_WAIT = ACK_TIMEOUT * (2 ** (MAX_RETRANSMIT + 1) - 1) * ACK_RANDOM_FACTOR
export const MAX_RTT = 2 * MAX_LATENCY + PROCESSING_DELAY
/** How long a confirmable message's id stays in use: 247 s with the defaults. */
export const EXCHANGE_LIFETIME = MAX_TRANSMIT_SPAN + MAX_RTT
/** How long a non-confirmable message's id stays in use: 145 s with the defaults. */
export const NON_LIFETIME = MAX_TRANSMIT_SPAN + MAX_LATENCY

/** Longest token (section 3). */
export const TOKEN_MAX = 8
/** Highest option number (section 12.2). */
export const OPTION_NUMBER_MAX = 65_535
/** Options taken in one message: our own limit, so that a datagram full of empty options costs nothing. */
export const OPTIONS_MAX = 32
/** Max-Age of a response that carries none, seconds (section 5.10.5). */
export const MAX_AGE_DEFAULT = 60
/** The port of `coap:` (section 6.1). */
export const DEFAULT_PORT = 5_683
