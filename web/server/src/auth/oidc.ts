import * as client from 'openid-client'

/** Settings of signing in at an OpenID provider. */
export type OidcSettings = {
  /** As the provider names itself, for instance `https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc`. */
  readonly issuer: string
  readonly clientId: string
  /** Undefined: a public client; PKCE is used either way. */
  readonly clientSecret: string | undefined
  /** What the button says. */
  readonly name: string
  /** Who is not known here yet gets an account; else they need an invitation. */
  readonly createsUsers: boolean
}

/** Who signed in, by the provider's word. */
export type OidcPerson = {
  readonly issuer: string
  readonly subject: string
  /** Undefined unless the provider says that it is verified: an unverified one could be anybody's. */
  readonly email: string | undefined
  readonly name: string
  readonly language: 'es' | 'en'
}

/** Signing in elsewhere: authorization code with PKCE, state and nonce (RFC 9700 section 2.1.1). */
export type Oidc = {
  readonly name: string
  readonly createsUsers: boolean
  /** Where the browser goes, and what it must keep until it comes back. */
  begin(): Promise<{ url: string; secret: string }>
  /** @param url at which the browser came back; @throws Error when it is not the answer to `secret` */
  finish(url: URL, secret: string): Promise<OidcPerson>
  /** Where the provider's keys are. */
  jwksUri(): Promise<string>
  /** Where the browser goes to sign out there, too; undefined while the provider has not been asked anything. */
  logoutUrl(): string | undefined
}

const SCOPE = 'openid email profile'
const CALLBACK = '/api/oidc/callback'

/** @param origin of this server; the provider must know `<origin>/api/oidc/callback` and, for signing out, `<origin>/` */
export function createOidc(settings: OidcSettings, origin: string): Oidc {
  let discovered: Promise<client.Configuration> | undefined
  let metadata: client.ServerMetadata | undefined

  /** Asked for on first use and again after a failure: a provider that is away does not keep the server from starting. */
  function configuration(): Promise<client.Configuration> {
    discovered ??= discover(settings).then(
      (found) => {
        metadata = found.serverMetadata()
        return found
      },
      (error: unknown) => {
        discovered = undefined
        throw error
      },
    )
    return discovered
  }

  return {
    name: settings.name,
    createsUsers: settings.createsUsers,
    async begin() {
      const verifier = client.randomPKCECodeVerifier()
      const [state, nonce] = [client.randomState(), client.randomNonce()]
      const url = client.buildAuthorizationUrl(await configuration(), {
        redirect_uri: `${origin}${CALLBACK}`,
        scope: SCOPE,
        state,
        nonce,
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      })
      return { url: url.href, secret: [verifier, state, nonce].join('.') }
    },
    async finish(url, secret) {
      const [pkceCodeVerifier = '', expectedState = '', expectedNonce = ''] = secret.split('.')
      const config = await configuration()
      const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true }
      // The address as the browser sees it: behind a proxy ours differs, and the provider compares.
      const seen = new URL(`${url.pathname}${url.search}`, origin)
      const claims = (await client.authorizationCodeGrant(config, seen, checks)).claims()
      if (claims === undefined) throw new Error('Cannot sign in: no ID token came')
      return personOf(claims)
    },
    async jwksUri() {
      const uri = (await configuration()).serverMetadata().jwks_uri
      if (uri === undefined)
        throw new Error(`Cannot verify tokens: the provider names no keys: ${settings.issuer}`)
      return uri
    },
    logoutUrl() {
      if (metadata === undefined) return undefined
      return logoutUrlOf(metadata, settings.clientId, `${origin}/`)
    },
  }
}

/**
 * Where to sign out. Cognito advertises `end_session_endpoint` but takes `client_id` and `logout_uri` instead of what
 * OpenID Connect RP-Initiated Logout 1.0 says: https://docs.aws.amazon.com/cognito/latest/developerguide/logout-endpoint.html
 */
export function logoutUrlOf(
  metadata: { issuer: string; end_session_endpoint?: string },
  clientId: string,
  back: string,
): string | undefined {
  if (metadata.end_session_endpoint === undefined) return undefined
  const url = new URL(metadata.end_session_endpoint)
  url.searchParams.set('client_id', clientId)
  url.searchParams.set(isCognito(metadata.issuer) ? 'logout_uri' : 'post_logout_redirect_uri', back)
  return url.href
}

export function isCognito(issuer: string): boolean {
  return /^https:\/\/cognito-idp\./.test(issuer)
}

/** What tokens and answers say about a person, whoever says it. */
export function personOf(claims: Record<string, unknown> & { iss?: string; sub?: string }): OidcPerson {
  const { iss = '', sub = '', email, name, given_name, locale } = claims
  // Cognito says it as text in some of its answers.
  const verified = claims['email_verified'] === true || claims['email_verified'] === 'true'
  const address = typeof email === 'string' && verified ? email : undefined
  const called = [name, given_name, address?.split('@')[0]].find(
    (one) => typeof one === 'string' && one !== '',
  )
  return {
    issuer: iss,
    subject: sub,
    email: address,
    name: typeof called === 'string' ? called.slice(0, 80) : sub.slice(0, 80),
    language: typeof locale === 'string' && !locale.startsWith('es') ? 'en' : 'es',
  }
}

async function discover({ issuer, clientId, clientSecret }: OidcSettings): Promise<client.Configuration> {
  const url = new URL(issuer)
  // A provider on this very machine may speak http: config.ts lets no other through.
  const execute = url.protocol === 'http:' ? [client.allowInsecureRequests] : []
  return await client.discovery(url, clientId, clientSecret, undefined, { execute, timeout: 10 })
}
