import { listenAdmin } from './adapters/http-admin.ts'
import { createLog, type Logger } from './adapters/log.ts'
import { openQueue } from './adapters/sqs.ts'
import { kernelDrops } from './adapters/udp.ts'
import { type Config, readConfig } from './config.ts'
import { startForwarding } from './forwarding.ts'
import { lockJournal } from './journal/lock.ts'
import { createMetrics, notReadyReasons, oldestAge } from './metrics.ts'
import { claimPort, startWorkers } from './workers.ts'

/** Composition root of the gateway daemon. Exit code 0: stopped when asked; 1: could not start, or a thread died. */
async function run(config: Config, log: Logger): Promise<void> {
  await lockJournal(config.journalDir)
  await claimPort(config)
  const workers = await startWorkers(config, log)
  const queue = openQueue(config.queueUrl)
  const forwarding = startForwarding({ config, log, workers: workers.handles, send: queue.sendBatch })
  const port = await workers.serve()

  const boards = workers.handles.map(({ board }) => board)
  const notReady = (): string[] => notReadyReasons(boards, config.unsentMaxS)
  const metrics = createMetrics({ boards, kernelDrops: () => kernelDrops(port), notReady })
  const admin = await listenAdmin({
    host: config.adminHost,
    port: config.adminPort,
    notReady,
    facts: () => ({ gateway: config.gatewayId, open: config.allowOpen, oldest_unsent_s: oldestAge(boards) }),
    metrics: async () => ({ text: await metrics.metrics(), contentType: metrics.contentType }),
    onFault: (error) => log.error({ err: error }, 'internal error'),
  })
  log.info(
    { coap: port, admin: admin.port, open: config.allowOpen, ackAfter: config.ackAfter },
    'gateway ready',
  )

  await stopSignal()
  log.info('gateway stopping')
  await workers.stop()
  await forwarding.stop(performance.now() + config.stopTimeoutMs)
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
