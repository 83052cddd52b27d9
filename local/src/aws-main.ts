/**
 * Stands in for SQS and S3: fauxqs, on 127.0.0.1:PESEBRE_AWS_PORT, with all data in PESEBRE_AWS_DIR, or else in
 * PESEBRE_HOME/aws. GET /health answers when it is ready.
 */
import { mkdirSync } from 'node:fs'
import { Server } from 'node:net'
import { join } from 'node:path'
import { LOCAL_REGION } from '@pesebre/contract/local-stack'
import { startFauxqs } from 'fauxqs'
import { pino } from 'pino'
import { runProcess } from './run-process.ts'

const log = pino({ level: process.env['PESEBRE_LOG_LEVEL'] || 'info', base: { name: 'aws' } })

await runProcess({ names: ['aws'], log }, async ({ aws }) => {
  const dir = process.env['PESEBRE_AWS_DIR'] || join(process.env['PESEBRE_HOME'] || '.pesebre', 'aws')
  listenOnLoopbackOnly()
  mkdirSync(dir, { recursive: true })
  const server = await startFauxqs({
    port: aws,
    defaultRegion: LOCAL_REGION,
    dataDir: dir,
    s3StorageDir: join(dir, 's3'),
    logger: false,
  })
  log.info({ port: server.port }, 'SQS and S3 ready')
  return server
})

/** fauxqs listens on every interface and has no option for it. Nothing of a local stack may be reachable from outside. */
function listenOnLoopbackOnly(): void {
  const { listen } = Server.prototype
  Server.prototype.listen = function (this: Server, options: object, ...rest: unknown[]) {
    return Reflect.apply(listen, this, [{ ...options, host: '127.0.0.1' }, ...rest])
  } as typeof listen
}
