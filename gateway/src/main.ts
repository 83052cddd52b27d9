import { listenAdmin } from './adapters/http-admin.ts'
import { createLog, type Logger } from './adapters/log.ts'
import { openQueue } from './adapters/sqs.ts'
import { kernelDrops } from './adapters/udp.ts'
import { openCloud } from './cloud.ts'
import { type Config, readConfig } from './config.ts'
import { createEnds } from './ends.ts'
import { startForwarding } from './forwarding.ts'
import { handedSockets } from './handed-sockets.ts'
import { lockJournal } from './journal/lock.ts'
import { createMetrics, notReadyReasons, oldestAge } from './metrics.ts'
import { openSecurity } from './security/security.ts'
import { claimPort, startWorkers } from './workers.ts'

/** Composition root of the gateway daemon. Exit code 0: stopped when asked; 1: could not start, or a thread died. */
async function run(config: Config, log: Logger): Promise<void> {
  await lockJournal(config.journalDir)
  const handed = handedSockets(process.env, process.pid, config.workers)
  if (handed.length === 0) await claimPort(config)
  const ends = createEnds(config.journalDir)
  const security = await openSecurity(config, log, ends.all)
  const workers = await startWorkers(config, log, security?.shared)
  ends.watch(workers.handles)
  const cloud = await openCloud(config, log, ends.sum)
  security?.rebuild(ends.sum() < (cloud?.mark ?? 0))
  const queue = openQueue(config.queueUrl)
  const { sendBatch: send } = queue
  const { handles } = workers
  const forwarding = startForwarding({ config, log, workers: handles, send, beforeDelete: security?.save })
  await cloud?.serve(handles)
  const port = await workers.serve(handed)

  const forms = { open: config.allowOpen, oscore: security !== undefined }
  const facts = { gateway: config.gatewayId, ...forms }
  const boards = workers.handles.map(({ board }) => board)
  const notReady = (): string[] => notReadyReasons(boards, config.unsentMaxS)
  const drops = () => kernelDrops(port)
  const archive = config.archive !== undefined
  const metrics = createMetrics({ boards, kernelDrops: drops, notReady, windows: security?.windows, archive })
  const admin = await listenAdmin({
    host: config.adminHost,
    port: config.adminPort,
    notReady,
    facts: () => ({ ...facts, mailboxes: cloud?.isLive() ?? false, oldest_unsent_s: oldestAge(boards) }),
    metrics: async () => ({ text: await metrics.metrics(), contentType: metrics.contentType }),
    onFault: (error) => log.error({ err: error }, 'internal error'),
  })
  const stopped = stopSignal()
  log.info({ coap: port, admin: admin.port, ...forms, ackAfter: config.ackAfter }, 'gateway ready')

  await stopped
  log.info('gateway stopping')
  await workers.stop()
  await forwarding.stop(performance.now() + config.stopTimeoutMs)
  security?.close()
  await cloud?.close()
  queue.close()
  await admin.close()
  log.info('gateway stopped')
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGTERM', () => resolve())
    process.once('SIGINT', () => resolve())
  })
}

try {
  const config = readConfig(process.env)
  const log = createLog(config.logLevel, config.gatewayId)
  // Nothing thrown ends the process: what was acknowledged is on disk, and the next request deserves an answer.
  process.on('uncaughtException', (error) => log.error({ err: error }, 'internal error'))
  await run(config, log)
  process.exit(0)
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}
