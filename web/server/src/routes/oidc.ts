import Type from 'typebox'
import type { App } from '../app.ts'
import { actorOf, audit } from '../audit.ts'
import { cookieJar } from '../auth/cookies.ts'
import { insertUser } from '../auth/new-user.ts'
import type { OidcPerson } from '../auth/oidc.ts'
import { findPerson } from '../auth/person.ts'
import type { SignedIn } from '../auth/sessions.ts'
import { setSessionCookie, signIn } from '../auth/sign-in.ts'
import type { Deps } from '../deps.ts'
import { Problem } from '../problems.ts'

/** How long somebody may take to sign in elsewhere, seconds. */
const PENDING_S = 600
/** Where the page learns that it went wrong: `?problem=` elsewhere, expired, unknown. */
const SIGN_IN_PAGE = '/sign-in'

/** GET /api/oidc/login sends the browser to the provider, GET /api/oidc/callback takes it back. 404 where it is not set up. */
export function oidcRoutes(app: App, deps: Deps): void {
  const jar = cookieJar(deps.origin)

  app.get(
    '/api/oidc/login',
    { config: { access: 'sign-in' }, schema: { response: { 302: Type.Null() } } },
    async (request, reply) => {
      if (deps.oidc === undefined) throw new Problem('not-found')
      try {
        const { url, secret } = await deps.oidc.begin()
        return reply.header('set-cookie', jar.write('oidc', secret, PENDING_S)).redirect(url)
      } catch (error) {
        request.log.warn({ err: error }, 'openid provider is away')
        return reply.redirect(`${SIGN_IN_PAGE}?problem=elsewhere`)
      }
    },
  )

  app.get(
    '/api/oidc/callback',
    {
      config: { access: 'sign-in' },
      schema: { querystring: Type.Record(Type.String(), Type.String()), response: { 302: Type.Null() } },
    },
    async (request, reply) => {
      if (deps.oidc === undefined) throw new Problem('not-found')
      const secret = jar.read(request.headers.cookie, 'oidc')
      reply.header('set-cookie', jar.write('oidc', '', 0))
      // Without it, somebody else's sign-in could be slipped to this browser.
      if (secret === undefined || secret === '') return reply.redirect(`${SIGN_IN_PAGE}?problem=expired`)
      let person: OidcPerson
      try {
        person = await deps.oidc.finish(new URL(request.url, deps.origin), secret)
      } catch (error) {
        request.log.warn({ err: error }, 'sign-in elsewhere failed')
        return reply.redirect(`${SIGN_IN_PAGE}?problem=elsewhere`)
      }
      const known = await findPerson(deps.db, person)
      if (known === undefined && !(deps.oidc.createsUsers && person.email !== undefined))
        return reply.redirect(`${SIGN_IN_PAGE}?problem=unknown`)
      try {
        setSessionCookie(reply, deps.origin, await begin(person, known))
      } catch (error) {
        // The address belongs to an account that was disabled, or is somebody else's at the provider.
        if (error instanceof Problem) return reply.redirect(`${SIGN_IN_PAGE}?problem=unknown`)
        throw error
      }
      return reply.redirect('/')

      function begin(person: OidcPerson, known: SignedIn | undefined): Promise<string> {
        const { issuer, subject, email = '', name, language } = person
        const at = deps.now()
        return deps.db.write(async (tx) => {
          const oidc = { issuer, subject }
          const user = known ?? (await insertUser(tx, { email, name, language, role: 'user', oidc, at }))
          await audit(
            tx,
            { ...actorOf(request, at), user },
            { action: 'session.create', subject: user.id, detail: { by: issuer } },
          )
          return signIn(deps, request, { tx, user: user.id, method: 'oidc' })
        })
      }
    },
  )
}
