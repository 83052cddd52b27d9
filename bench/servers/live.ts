// The live channel as the web server has it, on AWS IoT's stand-in: one admin, whose cookie GET / tells, may open as many
// sockets as they like. Arguments: port, home of the stand-in (certificates), its MQTT port.
import { createServer } from 'node:http'
import { WEB_THING } from '@pesebre/contract/policies'
import { pino } from 'pino'
import { webFiles } from '../../local/src/supervisor/gateway-files.ts'
import { beginSession } from '../../web/server/src/auth/sessions.ts'
import { openDatabase } from '../../web/server/src/db/database.ts'
import { newId } from '../../web/server/src/ids.ts'
import { openIot } from '../../web/server/src/iot/iot.ts'
import { openShadows } from '../../web/server/src/iot/shadows.ts'
import { createHub } from '../../web/server/src/live/hub.ts'
import { createLive } from '../../web/server/src/live/live.ts'
import { createStates } from '../../web/server/src/live/states.ts'
import { serveUpgrades } from '../../web/server/src/upgrade.ts'

const [port, home, mqttPort] = process.argv.slice(2) as [string, string, string]
const origin = `http://127.0.0.1:${port}`
const db = await openDatabase(':memory:')
const user = newId('usr')
const token = await db.write(async (tx) => {
  const now = Date.now()
  const row = {
    id: user,
    email: 'a@b.example',
    name: 'a',
    role: 'admin',
    language: 'en',
    created_at: now,
  } as const
  await tx.insertInto('users').values(row).execute()
  return beginSession(tx, now, { user, method: 'password', userAgent: undefined, before: undefined })
})
const iot = openIot({
  settings: { host: '127.0.0.1', port: Number(mqttPort), ...webFiles(home), clientId: WEB_THING },
  onError: (error) => console.error(error),
})
const states = createStates({
  iot,
  shadows: openShadows(undefined),
  onState: (event) => live.publishState(event),
  onError: (error) => console.error(error),
})
const live = createLive({
  deps: { db, now: Date.now, origin, log: pino({ level: 'warn' }) },
  hub: createHub({ epoch: 'bench' }),
  states,
  link: iot.link,
  limits: { total: 100_000, perUser: 100_000 },
})
const server = createServer((_request, response) => {
  response.statusCode = iot.link().isLive ? 200 : 503
  response.end(JSON.stringify({ cookie: `session=${token}`, origin }))
})
serveUpgrades(server, [live.route], (error) => console.error(error))
server.listen(Number(port), '127.0.0.1')
process.once('SIGTERM', () => {
  void iot.close().finally(() => process.exit(0))
})
