import { CODE } from '../codec/codes.ts'
import { OPTION } from '../codec/options.ts'
import { utf8 } from '../codec/text.ts'
import type { MessageFields } from './plaintext.ts'

/** Why a message is not taken. */
export const REFUSAL_REASONS = [
  /** There is no OSCORE option. */
  'not-protected',
  /** The OSCORE option is malformed, there are two, or there is no ciphertext (RFC 8613 section 2; section 8.2, step 2). */
  'cose-malformed',
  /** No security context for this kid and kid context (section 8.2, step 2). */
  'context-not-found',
  /** This Partial IV was received before, or is too old to tell (section 7.4). */
  'replayed',
  /** The tag does not fit (section 8.2, step 6). */
  'decryption-failed',
  /** Made by who has the key, but no message, or one of the wrong kind. */
  'plaintext-malformed',
] as const
export type RefusalReason = (typeof REFUSAL_REASONS)[number]

/**
 * A request that is not taken, and what may be answered. The answer goes out unprotected, and may as well be left out: it tells
 * strangers something, and it proves nothing to the client (section 8.2).
 */
export interface Refusal {
  readonly reason: RefusalReason
  readonly response: MessageFields
}

/** The refusal for a reason. Always the same object: nothing is made for who sends junk. */
export function refusalOf(reason: RefusalReason): Refusal {
  return refusals[reason]
}

const refusals: Readonly<Record<RefusalReason, Refusal>> = {
  'not-protected': make('not-protected', CODE.UNAUTHORIZED, ''),
  'cose-malformed': make('cose-malformed', CODE.BAD_OPTION, 'Failed to decode COSE'),
  'context-not-found': make('context-not-found', CODE.UNAUTHORIZED, 'Security context not found'),
  replayed: make('replayed', CODE.UNAUTHORIZED, 'Replay detected'),
  'decryption-failed': make('decryption-failed', CODE.BAD_REQUEST, 'Decryption failed'),
  'plaintext-malformed': make('plaintext-malformed', CODE.BAD_REQUEST, ''),
}

function make(reason: RefusalReason, code: number, diagnostic: string): Refusal {
  // Max-Age 0: no proxy should keep it (section 4.1.3.1).
  const options = [{ number: OPTION.MAX_AGE, value: new Uint8Array(0) }]
  return { reason, response: { code, options, payload: utf8(diagnostic) } }
}
