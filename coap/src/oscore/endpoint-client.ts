import { OPTION } from '../codec/options.ts'
import type { OpenedResponse, RequestSecurity } from '../endpoint/security.ts'
import { protectRequest, type ResponseVerification, type SenderContext, verifyResponse } from './client.ts'
import { challengeOf } from './recovery.ts'

/**
 * Makes what protects requests of an endpoint's client role, one for each server: give it as `security` with a request. Blocks,
 * notifications and later blocks of both are protected one by one. A server that has lost its replay window and asks for Echo gets
 * it (RFC 8613 Appendix B.1.2).
 */
export function createRequestSecurity(sender: SenderContext): RequestSecurity {
  let echo: Uint8Array | undefined

  function opened(verification: ResponseVerification): OpenedResponse {
    if (!verification.ok) return verification.reason === 'not-protected' ? UNPROTECTED : REFUSED
    const { response } = verification
    // One value is good for one request: whoever asks for another gets another.
    echo = challengeOf(response)
    return echo === undefined ? { kind: 'opened', response } : AGAIN
  }

  return {
    protect: (request) => {
      const proof = echo === undefined ? [] : [{ number: OPTION.ECHO, value: echo }]
      const result = protectRequest({ ...request, options: [...request.options, ...proof] }, sender)
      if (!result.ok) return undefined
      const { sent } = result
      return { request: result.request, open: (response) => opened(verifyResponse(response, sent)) }
    },
  }
}

const UNPROTECTED = { kind: 'unprotected' } as const
const REFUSED = { kind: 'refused' } as const
const AGAIN = { kind: 'again' } as const
