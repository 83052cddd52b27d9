import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { createRegistry, listenAdmin } from './admin.ts'
import { gatewayAddresses, openAdministration } from './administration.ts'
import { countAlarms } from './alarms/metrics.ts'
import { type App, createApp } from './app.ts'
import { offerSetup, openProvider } from './auth/open.ts'
import { startDailyBackups } from './backup/daily.ts'
import { cameraCards } from './camera/cards.ts'
import { countRelay, openRelay } from './camera/open.ts'
import { openCloud } from './cloud.ts'
import { type Config, readConfig } from './config.ts'
import { databaseProblems, openDatabase } from './db/database.ts'
import { openHistory } from './history/history.ts'
import { countHistory } from './history/metrics.ts'
import { createLeases } from './hops/leases.ts'
import { openHusbandry } from './husbandry.ts'
import { openPictures } from './pictures/open.ts'
import { serveUpgrades } from './upgrade.ts'

/** The built pages; without them there is the API alone. */
const APP_DIR = fileURLToPath(new URL('../../app/dist', import.meta.url))

/** Composition root of the web server. Exit code 0: stopped when asked; 1: could not start. */
async function run(config: Config, log: pino.Logger): Promise<void> {
  const now = Date.now
  const { origin } = config
  const db = await openDatabase(config.database)
  const history = openHistory(config, log)
  const { oidc, bearer } = openProvider(config, { db, now })
  const appDir = existsSync(APP_DIR) ? APP_DIR : undefined
  const cloud = openCloud(config.mqtt, { db, now, log, origin, bearer })
  const { trustProxy } = config
  const relay = openRelay(cloud, { db, now, log, origin, bearer }, config.relayLimits)
  const registry = createRegistry()
  countAlarms(registry, db)
  if (relay) countRelay(registry, relay)
  if (history) countHistory(registry, history, now)
  const ids = gatewayAddresses(config).map(({ id }) => id)
  const leases = createLeases({ db, shadows: cloud.shadows, now, ids })
  const administration = await openAdministration({
    ...{ config, cloud, leases, relay, history },
    deps: { db, now, log },
    metrics: registry,
  })
  const husbandry = await openHusbandry({ config, cloud, leases, relay, history, db, now, log })
  const onRightsChange = (user?: string) => {
    cloud.live.recheck(user)
    relay?.recheck()
    husbandry.onDevicesChange()
  }
  const cameras = relay && { cameras: (horses: readonly string[]) => cameraCards(db, relay, horses) }
  const app = await createApp({
    ...{ db, now, log, origin, oidc, bearer, appDir, trustProxy, onRightsChange, relay },
    ...administration,
    ...husbandry.deps,
    ...(await openPictures(config.bucket, cloud, { db, now, log })),
    cards: { ...husbandry.cards, ...cameras },
  })
  serveUpgrades(app.server, [cloud.live.route, ...(relay?.routes ?? [])], (error) =>
    log.error({ err: error }, 'internal error'),
  )
  await listen(app, config)
  const admin = await listenAdmin({
    host: config.adminHost,
    port: config.adminPort,
    registry,
    warnings: () => cloud.warnings(),
    notReady: () => databaseProblems(db),
  })
  await offerSetup(db, config, log)
  const stopBackups = config.bucket && startDailyBackups({ bucket: config.bucket, log, registry })
  log.info(
    { port: config.port, admin: admin.port, origin, database: db.flavor, app: appDir !== undefined },
    'web ready',
  )

  await stopSignal()
  log.info('web stopping')
  if (stopBackups) stopBackups()
  administration.close()
  await relay?.close()
  husbandry.close()
  await cloud.close()
  await app.close()
  await admin.close()
  await history?.stop()
  await db.close()
  log.info('web stopped')
}

async function listen(app: App, { host, port }: Config): Promise<void> {
  try {
    await app.listen({ host, port })
  } catch (cause) {
    const where = `${host}:${port} (PESEBRE_WEB_HOST, PESEBRE_WEB_PORT)`
    throw new Error(`Cannot listen on ${where}: ${(cause as Error).message}`, { cause })
  }
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
