import { MALFORMED, type Malformed } from '../codec/scan.ts'

/** What can become of a datagram that is dropped in silence. */
export const DROP_REASONS = [
  ...MALFORMED,
  /** UDP source port 0: there is nowhere to answer to, and sending there is an error in most systems. */
  'source-port-zero',
  /** Empty NON (RFC 7252 section 4.3: must be ignored). */
  'empty-non',
  /** A request in an ACK, or a request or response in an RST (section 4.2). */
  'misplaced-code',
  /** A repeat of a request that the application is still working on. */
  'repeat-pending',
  /** A repeat of a request whose answer was not wanted. */
  'repeat-unanswered',
  /** A critical option that is not known, in a NON request (section 5.4.1). */
  'bad-option-non',
  /** An ACK, RST or NON response that answers nothing of ours. */
  'unmatched',
  /** A response with a critical option that is not known (section 5.4.1). */
  'bad-response',
] as const

/** Why a protected request (RFC 8613) is not taken. */
export const SECURITY_REASONS = [
  /** The OSCORE option is malformed, there are two, or there is no ciphertext. */
  'cose-malformed',
  /** No key for this kid and kid context. */
  'context-not-found',
  /** Received before, or too old to tell. */
  'replayed',
  /** The tag does not fit. */
  'decryption-failed',
  /** Made by who has the key, but no request. */
  'plaintext-malformed',
  /** It may be old: answered with an Echo challenge, if there was a sequence number for it. */
  'unproven',
] as const
export type SecurityReason = (typeof SECURITY_REASONS)[number]

export type DropReason = Malformed | (typeof DROP_REASONS)[number] | SecurityReason

/** What can become of a datagram that is not dropped. */
export const TAKEN_REASONS = [
  /** A new request, handed to the application. */
  'request',
  /** A repeat of a request or response, answered with the same bytes as the first. */
  'repeat',
  /** Empty CON, answered with RST (section 4.3). */
  'ping',
  /** CON that cannot be processed, answered with RST (section 4.2). */
  'reset-sent',
  /** An ACK to a confirmable message of ours. */
  'acknowledgement',
  /** An RST to a message of ours. */
  'reset',
  /** A response or notification for a request of ours. */
  'response',
  /** One block of a longer body, answered without the application. */
  'block',
  /** A block that does not fit: 4.00, 4.08 or 4.13. */
  'block-refused',
  /** 4.02: a critical option that is not known or has an impossible value. */
  'bad-option',
  /** 5.05: a request to act as a proxy. */
  'proxy',
  /** 4.13: larger than the limits. */
  'too-large',
  /** 5.03: too many requests are waiting for the application. */
  'overload',
] as const

/** Everything that can become of a datagram. Each received datagram is counted under exactly one. */
export const OUTCOMES = [...DROP_REASONS, ...SECURITY_REASONS, ...TAKEN_REASONS] as const
export type Outcome = (typeof OUTCOMES)[number]

/** How many datagrams met each outcome. The numbers add up to the datagrams received. */
export type Counters = Readonly<Record<Outcome, number>>

/** Counts one datagram. */
export type Tally = (outcome: Outcome) => void

export function createCounters(): Record<Outcome, number> {
  return Object.fromEntries(OUTCOMES.map((outcome) => [outcome, 0])) as Record<Outcome, number>
}
