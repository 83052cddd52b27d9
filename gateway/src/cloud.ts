import { openIotData } from './adapters/iot-data.ts'
import type { Logger } from './adapters/log.ts'
import { type Mqtt, openMqtt } from './adapters/mqtt.ts'
import type { Config } from './config.ts'
import { createLease, keepLease, type LeaseKeeper, LeaseTaken, readInstance } from './lease.ts'
import { openMailRoom, TOPIC } from './mail-room.ts'
import type { WorkerHandle } from './workers.ts'

/** AWS IoT as the gateway uses it: the claim on its id, and the mailboxes. */
export type Cloud = {
  /**
   * What the journals had taken when AWS last heard of this gateway; undefined if it never did, or cannot be asked. A disk that
   * knows less than that is an older copy.
   */
  readonly mark: number | undefined
  /** Brings mailboxes to the workers from now on. */
  serve(workers: readonly WorkerHandle[]): Promise<void>
  /** Whether changes of mailboxes are announced now. */
  isLive(): boolean
  close(): Promise<void>
}

const FAILURE_LOG_MS = 10_000

/** Claims the gateway id. Undefined where AWS IoT is not set. Throws LeaseTaken when another gateway has the id. */
export async function openCloud(config: Config, log: Logger, mark: () => number): Promise<Cloud | undefined> {
  const { mqtt: settings, gatewayId, journalDir } = config
  if (settings === undefined) return undefined
  const data = openIotData(`https://${settings.host}`)
  const instance = readInstance(journalDir)
  const lease = createLease({ gatewayId, instance, data, mark, clock: Date.now })
  const known = await lease.renew().catch((error: unknown) => {
    if (error instanceof LeaseTaken) throw error
    log.warn({ err: error }, 'AWS IoT cannot be asked whether another gateway has the same id')
    return undefined
  })
  let keeper: LeaseKeeper | undefined
  let mqtt: Mqtt | undefined
  let isLive = false
  let loggedAt = Number.NEGATIVE_INFINITY

  async function serve(workers: readonly WorkerHandle[]): Promise<void> {
    keeper = keepLease(lease, {
      log,
      onTaken: (error) => {
        // Two gateways with one id use the same nonces: the one that comes to know it ends.
        log.fatal({ err: error }, 'another gateway has the same id')
        process.exit(1)
      },
    })
    const room = openMailRoom({ workers, log, read: data.read, handsOut: config.commands })
    mqtt = await openMqtt({
      ...settings!,
      clientId: `pesebre-gateway-${gatewayId}`,
      topic: TOPIC,
      onMessage: room.onMessage,
      onLink: (link) => {
        if (link.isLive !== isLive) log.info({ live: link.isLive }, 'mailboxes')
        isLive = link.isLive
        room.onLink(link)
      },
      onError: (error) => {
        if (performance.now() - loggedAt < FAILURE_LOG_MS) return
        loggedAt = performance.now()
        log.warn({ err: error }, 'AWS IoT over MQTT fails: mailboxes are read for each report')
      },
    })
  }

  async function close(): Promise<void> {
    await keeper?.stop()
    await mqtt?.close()
    data.close()
  }

  return { mark: known, serve, isLive: () => isLive, close }
}
