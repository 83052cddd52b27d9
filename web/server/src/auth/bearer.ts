import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from 'jose'
import type { Database } from '../db/database.ts'
import { Problem } from '../problems.ts'
import { type OidcSettings, personOf } from './oidc.ts'
import { findPerson } from './person.ts'
import type { SignedIn } from './sessions.ts'

/** Asymmetric only: a key that verifies must not be one that signs. */
const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA']
const CLOCK_TOLERANCE_S = 30

/**
 * Bearer tokens for mobile apps and integrators: JWTs of the same provider that people sign in at (RFC 9068, and Cognito's
 * access tokens, which have `client_id` and `token_use` instead of `aud`).
 * The person must be known here: they have signed in to the web app once, or their address is verified and has an account.
 * @param jwksUri where the provider's keys are
 */
export function createBearer(
  db: Database,
  settings: Pick<OidcSettings, 'issuer' | 'clientId'> & { readonly audience: string | undefined },
  { jwksUri, now }: { jwksUri: () => Promise<string>; now: () => number },
): (token: string) => Promise<SignedIn> {
  let keys: ReturnType<typeof createRemoteJWKSet> | undefined

  return async (token) => {
    keys ??= createRemoteJWKSet(new URL(await jwksUri()))
    const payload = await verify(token, keys)
    const user = await findPerson(db, personOf(payload))
    if (user === undefined)
      throw new Problem('not-signed-in', { detail: 'The token is good, but its person has no account here' })
    return user
  }

  async function verify(token: string, from: NonNullable<typeof keys>): Promise<JWTPayload> {
    try {
      const { payload } = await jwtVerify(token, from, {
        issuer: settings.issuer,
        algorithms: ALGORITHMS,
        clockTolerance: CLOCK_TOLERANCE_S,
        currentDate: new Date(now()),
        requiredClaims: ['exp', 'sub'],
      })
      if (!isForUs(payload)) throw new Problem('not-signed-in', { detail: 'The token is for somebody else' })
      return payload
    } catch (error) {
      // Keys that cannot be fetched are the provider's trouble, not the token's.
      if (error instanceof errors.JWKSTimeout)
        throw new Problem('unavailable', { detail: 'The provider does not answer' })
      if (error instanceof errors.JOSEError)
        throw new Problem('not-signed-in', { detail: `The token is not good: ${error.code}` })
      throw error
    }
  }

  function isForUs({ aud, client_id, token_use }: JWTPayload): boolean {
    const wanted = settings.audience ?? settings.clientId
    if (aud !== undefined) return [aud].flat().includes(wanted)
    return token_use === 'access' && client_id === settings.clientId
  }
}
