import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { createRegistry, listenAdmin } from './admin.ts'
import { createApp } from './app.ts'
import { createBearer } from './auth/bearer.ts'
import { setupLink } from './auth/links.ts'
import { createOidc } from './auth/oidc.ts'
import { openCloud } from './cloud.ts'
import { type Config, readConfig } from './config.ts'
import { openDatabase } from './db/database.ts'
import { serveUpgrades } from './upgrade.ts'

/** The built pages; without them there is the API alone. */
const APP_DIR = fileURLToPath(new URL('../../app/dist', import.meta.url))

/** Composition root of the web server. Exit code 0: stopped when asked; 1: could not start. */
async function run(config: Config, log: pino.Logger): Promise<void> {
  const now = Date.now
  const { origin } = config
  const db = await openDatabase(config.database)
  const oidc = config.oidc && createOidc(config.oidc, origin)
  const bearer = config.oidc && oidc && createBearer(db, config.oidc, { jwksUri: oidc.jwksUri, now })
  const appDir = existsSync(APP_DIR) ? APP_DIR : undefined
  const cloud = openCloud(config.mqtt, { db, now, log, origin, bearer })
  const { trustProxy } = config
  const onRightsChange = () => cloud.live.recheck()
  const app = await createApp({ db, now, log, origin, oidc, bearer, appDir, trustProxy, onRightsChange })
  serveUpgrades(app.server, [cloud.live.route], (error) => log.error({ err: error }, 'internal error'))
  await app.listen({ host: config.host, port: config.port })
  const admin = await listenAdmin({
    host: config.adminHost,
    port: config.adminPort,
    registry: createRegistry(),
    warnings: () => cloud.warnings(),
    notReady: async () => {
      const gone = await db.sql
        .selectFrom('settings')
        .select('name')
        .limit(1)
        .execute()
        .then(
          () => undefined,
          (error: Error) => `database: ${error.message}`,
        )
      return gone === undefined ? [] : [gone]
    },
  })
  const token = await setupLink(db, now(), config.setupToken)
  // A warning: somebody should look, and nothing works before they did. One that was chosen is no news, and stays secret.
  if (token !== undefined && config.setupToken === undefined)
    log.warn(
      { setup: `${origin}/setup#${token}` },
      'there is no admin yet: open this link within a day to become it',
    )
  log.info(
    { port: config.port, admin: admin.port, origin, database: db.flavor, app: appDir !== undefined },
    'web ready',
  )

  await stopSignal()
  log.info('web stopping')
  await cloud.close()
  await app.close()
  await admin.close()
  await db.close()
  log.info('web stopped')
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGTERM', () => resolve())
    process.once('SIGINT', () => resolve())
  })
}

try {
  const config = readConfig(process.env)
  const log = pino({ level: config.logLevel, base: {} })
  process.on('uncaughtException', (error) => log.error({ err: error }, 'internal error'))
  await run(config, log)
  process.exit(0)
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}
