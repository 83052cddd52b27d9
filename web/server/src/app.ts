import helmet from '@fastify/helmet'
import rateLimit from '@fastify/rate-limit'
import swagger from '@fastify/swagger'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  LogController,
  type RawReplyDefaultExpression,
  type RawRequestDefaultExpression,
  type RawServerDefault,
} from 'fastify'
import { guardRoutes } from './access.ts'
import type { Deps, Limits } from './deps.ts'
import { openApi } from './openapi.ts'
import { answerError, Problem, problemBody, sendProblem } from './problems.ts'
import { alarmRoutes } from './routes/alarms.ts'
import { assignmentRoutes } from './routes/assignment.ts'
import { auditRoutes } from './routes/audit.ts'
import { calibrationRoutes } from './routes/calibration.ts'
import { credentialRoutes } from './routes/credentials.ts'
import { dayRoutes } from './routes/day.ts'
import { deviceRoutes } from './routes/devices.ts'
import { feedRoutes } from './routes/feeds.ts'
import { fleetRoutes } from './routes/fleet.ts'
import { historyRoutes } from './routes/history.ts'
import { hopRoutes } from './routes/hops.ts'
import { horseRoutes } from './routes/horses.ts'
import { invitationRoutes } from './routes/invitations.ts'
import { limitsRoutes } from './routes/limits.ts'
import { meRoutes } from './routes/me.ts'
import { memberRoutes } from './routes/members.ts'
import { notificationRoutes } from './routes/notifications.ts'
import { oidcRoutes } from './routes/oidc.ts'
import { pictureRoutes } from './routes/pictures.ts'
import { pushRoutes } from './routes/push.ts'
import { scheduleRoutes } from './routes/schedule.ts'
import { sessionRoutes } from './routes/session.ts'
import { setupRoutes } from './routes/setup.ts'
import { snapshotRoutes } from './routes/snapshot.ts'
import { stableRoutes } from './routes/stables.ts'
import { userRoutes } from './routes/users.ts'
import { securityHeaders } from './security-headers.ts'
import { serveApp } from './static.ts'
import { compileValidator } from './validation.ts'

/** The app as routes see it: their schemas give the types of body, params, query and answer. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

const LIMITS: Limits = { bodyMax: 64 * 1024, requestTimeoutMs: 15_000, ratePerMinute: 1200 }

/**
 * Every resource of the API: one file in routes/, one line here. A route declares
 * `config: { access: '<permission of access.ts>' }`, and schemas out of contract/src/api.
 */
const ROUTES: readonly ((app: App, deps: Deps) => void)[] = [
  sessionRoutes,
  setupRoutes,
  invitationRoutes,
  oidcRoutes,
  meRoutes,
  stableRoutes,
  memberRoutes,
  horseRoutes,
  feedRoutes,
  dayRoutes,
  scheduleRoutes,
  limitsRoutes,
  calibrationRoutes,
  alarmRoutes,
  notificationRoutes,
  pushRoutes,
  historyRoutes,
  snapshotRoutes,
  pictureRoutes,
  userRoutes,
  auditRoutes,
  deviceRoutes,
  credentialRoutes,
  assignmentRoutes,
  fleetRoutes,
  hopRoutes,
]

/** Builds the HTTP API and the pages. It does not listen yet. */
export async function createApp(deps: Deps): Promise<App> {
  const limits = { ...LIMITS, ...deps.limits }
  const app: App = fastify({
    loggerInstance: deps.log,
    // One line per request is what proxies are for, and paths hold tokens.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: limits.bodyMax,
    requestTimeout: limits.requestTimeoutMs,
    // Node looks for slow requests in such steps.
    http: { headersTimeout: limits.requestTimeoutMs, connectionsCheckingInterval: 1000 },
    trustProxy: deps.trustProxy === undefined ? false : [...deps.trustProxy],
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 200 },
    forceCloseConnections: true,
  }).withTypeProvider<TypeBoxTypeProvider>()
  app.setValidatorCompiler(compileValidator)
  app.setErrorHandler(answerError)
  // JSON alone: forms of other sites can send plain text, but no JSON.
  app.removeContentTypeParser('text/plain')
  guardRoutes(app, deps)

  await app.register(helmet, securityHeaders(deps))
  await app.register(rateLimit, {
    max: limits.ratePerMinute,
    timeWindow: 60_000,
    errorResponseBuilder: (_request, { ttl }) =>
      new Problem('too-many-requests', { retryAfter: Math.ceil(ttl / 1000) }),
  })
  await app.register(swagger, openApi)
  // biome-ignore lint/nursery/noMisusedPromises: Fastify waits for it.
  await app.register(async (scoped) => {
    const api = scoped.withTypeProvider<TypeBoxTypeProvider>()
    api.addHook('onSend', async (_request, reply) => {
      if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store')
    })
    api.get('/api/openapi.json', { config: { access: 'public' }, schema: { hide: true } }, () =>
      app.swagger(),
    )
    for (const register of ROUTES) register(api, deps)
  })
  await serveApp(app, deps)
  app.setNotFoundHandler((_request, reply) => {
    void sendProblem(reply, problemBody('not-found'))
  })
  return app
}
