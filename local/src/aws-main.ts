/**
 * Stands in for SQS and S3: fauxqs, with all data in PESEBRE_AWS_DIR, on 127.0.0.1:PESEBRE_AWS_PORT.
 * GET /health answers when it is ready.
 */
import { mkdirSync } from 'node:fs'
import { Server } from 'node:net'
import { join } from 'node:path'
import { LOCAL_REGION, PORTS } from '@pesebre/contract/local-stack'
import { startFauxqs } from 'fauxqs'

/** Requests that still run after this long are cut off, milliseconds. All data is on disk by then. */
const STOP_MS = 400

const port = Number(process.env['PESEBRE_AWS_PORT'] || PORTS.aws.standard)
const dir = process.env['PESEBRE_AWS_DIR'] || '.pesebre/aws'

listenOnLoopbackOnly()
mkdirSync(dir, { recursive: true })
const server = await startFauxqs({
  port,
  defaultRegion: LOCAL_REGION,
  dataDir: dir,
  s3StorageDir: join(dir, 's3'),
  logger: false,
})
process.stdout.write(
  `${JSON.stringify({ level: 30, time: Date.now(), msg: 'SQS and S3 ready', port: server.port })}\n`,
)
process.once('SIGTERM', stop)
process.once('SIGINT', stop)

function stop(): void {
  setTimeout(() => process.exit(0), STOP_MS)
  const exit = () => process.exit(0)
  server.stop().then(exit, exit)
}

/** fauxqs listens on every interface and has no option for it. Nothing of a local stack may be reachable from outside. */
function listenOnLoopbackOnly(): void {
  const { listen } = Server.prototype
  Server.prototype.listen = function (this: Server, options: object, ...rest: unknown[]) {
    return Reflect.apply(listen, this, [{ ...options, host: '127.0.0.1' }, ...rest])
  } as typeof listen
}
