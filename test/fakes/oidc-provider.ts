import { createHash, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'

export const CLIENT_ID = 'pesebre-test'

/** An OpenID provider on loopback that everybody gets into: it checks what a client must do right, PKCE above all. */
export type OidcProvider = {
  readonly issuer: string
  /** Claims of the ID token of whoever signs in next. */
  claims: Record<string, unknown>
  /** What is put into the next ID token instead of what was asked for. */
  forged: { nonce?: string; aud?: string; iss?: string }
  /** A browser at the authorization endpoint: where it is sent back to. */
  authorize(url: string): Promise<URL>
  /** A JWT that it has signed. */
  token(claims: Record<string, unknown>): Promise<string>
  close(): Promise<void>
}

type Pending = { challenge: string; nonce: string }

export async function startOidcProvider(): Promise<OidcProvider> {
  const { privateKey, publicKey } = await generateKeyPair('RS256')
  const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'RS256', use: 'sig' }
  const pending = new Map<string, Pending>()
  const server = createServer((request, response) => {
    answer(request).then(
      ({ status, body }) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
      (error: Error) => response.writeHead(500).end(error.message),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  const provider: OidcProvider = {
    issuer,
    claims: { sub: 'person-1', email: 'nuria@stable.example', email_verified: true, name: 'Nuria' },
    forged: {},
    async authorize(url) {
      const asked = new URL(url).searchParams
      const code = randomUUID()
      if (asked.get('code_challenge_method') !== 'S256' || asked.get('response_type') !== 'code')
        throw new Error(`Not as it should be: ${url}`)
      pending.set(code, { challenge: asked.get('code_challenge')!, nonce: asked.get('nonce')! })
      const back = new URL(asked.get('redirect_uri')!)
      back.searchParams.set('code', code)
      back.searchParams.set('state', asked.get('state')!)
      return back
    },
    token: (claims) => {
      const jwt = new SignJWT({ iss: issuer, ...claims }).setProtectedHeader({ alg: 'RS256', kid: 'one' })
      return jwt.sign(privateKey)
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return provider

  async function answer(request: IncomingMessage): Promise<{ status: number; body: unknown }> {
    if (request.url === '/.well-known/openid-configuration') return { status: 200, body: metadata() }
    if (request.url === '/keys') return { status: 200, body: { keys: [jwk] } }
    if (request.url !== '/token') return { status: 404, body: {} }
    const form = new URLSearchParams((await request.toArray()).join(''))
    const code = form.get('code') ?? ''
    const known = pending.get(code)
    pending.delete(code)
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url')
    if (known === undefined || challenge !== known.challenge)
      return { status: 400, body: { error: 'invalid_grant' } }
    const times = { iat: Math.floor(Date.now() / 1000), exp: Math.floor(Date.now() / 1000) + 300 }
    const claims = { aud: CLIENT_ID, nonce: known.nonce, ...times, ...provider.claims, ...provider.forged }
    return {
      status: 200,
      body: { access_token: 'opaque', token_type: 'Bearer', id_token: await provider.token(claims) },
    }
  }

  function metadata() {
    return {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/keys`,
      end_session_endpoint: `${issuer}/logout`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
      code_challenge_methods_supported: ['S256'],
    }
  }
}
