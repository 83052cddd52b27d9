import type { LiveEvent } from '@pesebre/contract/api/live'
import { parseGateways } from '@pesebre/contract/registration'
import { Gauge, type Registry as Metrics } from 'prom-client'
import type { Relay } from './camera/relay.ts'
import type { Cloud } from './cloud.ts'
import type { Config } from './config.ts'
import type { Deps } from './deps.ts'
import { readAuthority } from './devices/authority.ts'
import { createDevices, type Devices } from './devices/devices.ts'
import { openFirmware } from './devices/firmware.ts'
import { readFleetKey } from './devices/fleet-key.ts'
import type { DeviceChange } from './devices/parts.ts'
import { createPeek } from './devices/peek.ts'
import { openRegistry } from './devices/registry.ts'
import { createSightings } from './devices/sightings.ts'
import { type HistoryIndex, numbersOf } from './history/history.ts'
import { watchGateways } from './hops/gateways.ts'
import type { Leases } from './hops/leases.ts'
import { openQueueDepth, watchQueues } from './hops/queues.ts'
import { lookAtDatabase, lookAtMqtt, lookAtShadows, openBucketLook } from './hops/services.ts'
import { watchHops } from './hops/watch.ts'
import { FLEET, HOPS_PAGE } from './live/audience.ts'
import { fleetNumbers } from './routes/fleet.ts'

/** What admins and operators have: devices, the fleet, the hops. */
export type Administration = Required<Pick<Deps, 'devices' | 'reports' | 'hops'>> & { close(): void }

export type AdministrationOptions = {
  readonly config: Config
  readonly cloud: Cloud
  readonly deps: Pick<Deps, 'db' | 'now' | 'log'>
  readonly leases: Leases
  readonly relay: Relay | undefined
  readonly history: HistoryIndex | undefined
  readonly metrics: Metrics
}

/** Numbers of the fleet are told this often while somebody looks, milliseconds. */
const NUMBERS_MS = 2_000
/** Rows that are told of one object of the archive; a page that shows more reads them when it needs them. */
const ROWS_MAX = 100

export async function openAdministration(options: AdministrationOptions): Promise<Administration> {
  const { config, cloud, deps, leases, relay, history, metrics } = options
  const { db, now, log } = deps
  const { live } = cloud
  const onError = (error: unknown) => log.warn({ err: error }, 'devices: AWS IoT or the database fails')
  const gateways = watchGateways(config.gatewayAdmins, { now, leases })
  const registry = openRegistry()
  const devices: Devices = createDevices({
    ...{ db, now, registry, onError },
    shadows: cloud.shadows,
    states: cloud.states,
    peek: createPeek(cloud.shadows, onError),
    fleetKey: config.fleetKeys === undefined ? undefined : () => readFleetKey(config.fleetKeys!),
    gateways: gatewayAddresses(config),
    mqtt: config.mqtt && { ...config.mqtt, authority: await readAuthority(config.mqtt.authority) },
    policyPrefix: config.policyPrefix,
    firmware: openFirmware(config.firmwareDir),
    leases,
    isConnected: (thing) => relay?.status(thing).connected ?? null,
    onChange,
  })
  const sightings = createSightings({ db, onError, onFirst: (thing) => tellRows([thing]) })
  const queues = openQueueDepth()
  const bucket = openBucketLook(config.bucket)
  const watch = watchHops({
    now,
    registry: metrics,
    isWatched: () => live.isWatched(HOPS_PAGE),
    onHops: (hops) => live.publish({ kind: 'hops', hops }, { hops: true }),
    looks: [
      gateways.look,
      watchQueues({ queue: config.queueUrl, deadLetters: config.deadLetterUrl }, { depth: queues.depth, now })
        .look,
      () => lookAtShadows(cloud.shadows),
      async () => lookAtMqtt(cloud.iot && cloud.link(), now()),
      () => lookAtDatabase(db),
      bucket.look,
    ],
  })

  // What it says of MQTT would be old for up to half a minute.
  cloud.iot?.onLink(() => void watch.look())

  /** What a device is, or where: its row, the cards of its horses, and who may see it. */
  function onChange({ thing, horses }: DeviceChange): void {
    live.recheck()
    relay?.recheck()
    for (const { id, stable } of horses)
      live.publish({ kind: 'horse', stable, horse: id }, { stable, fleet: true })
    tellRows([thing])
  }

  function tellRows(things: readonly string[]): void {
    devices.fleet
      .rows(things.slice(0, ROWS_MAX))
      .then((rows) => {
        for (const device of rows) {
          const event: LiveEvent = { kind: 'device', device }
          live.publish(event, { fleet: true, thing: device.thing, stable: device.stable?.id })
        }
      })
      .catch(onError)
  }

  cloud.onState(({ thing, at }) => {
    if (at !== null) sightings.saw(thing, at)
  })
  relay?.onHeard(sightings.saw)
  cloud.onControl(({ thing }) => {
    if (live.isWatched(FLEET)) tellRows([thing])
  })
  history?.onIndexed(({ things }) => {
    numbersOf(db, things)
      .then((found) => {
        for (const [thing, { at }] of found) sightings.saw(thing, at)
      })
      .catch(onError)
    if (live.isWatched(FLEET)) tellRows(things)
  })

  let told = ''
  const numbers = setInterval(() => {
    if (!live.isWatched(FLEET)) return
    gateways
      .look()
      .then(() => fleetNumbers({ ...deps, devices, reports: gateways.reports }))
      .then((found) => {
        const text = JSON.stringify({ ...found, at: 0 })
        if (text !== told) live.publish({ kind: 'numbers', numbers: found }, { fleet: true })
        told = text
      })
      .catch(onError)
  }, NUMBERS_MS)
  numbers.unref()

  expose(metrics, cloud)
  return {
    devices,
    reports: gateways.reports,
    hops: watch.look,
    close() {
      clearInterval(numbers)
      watch.close()
      queues.close()
      bucket.close()
      registry.close()
    },
  }
}

function expose(metrics: Metrics, { iot, link, live }: Cloud): void {
  const registers = [metrics]
  new Gauge({
    name: 'pesebre_live_browsers',
    help: 'Browsers on the live channel at this moment',
    registers,
    collect() {
      this.set(live.count())
    },
  })
  if (iot === undefined) return
  new Gauge({
    name: 'pesebre_mqtt_live',
    help: '1 while changes of shadows come over MQTT',
    registers,
    collect() {
      this.set(link().isLive ? 1 : 0)
    },
  })
}

/** Gateways that devices are told of. */
export function gatewayAddresses({ gateways }: Pick<Config, 'gateways'>) {
  const parsed = parseGateways(gateways?.list.join(',') ?? '')
  return 'gateways' in parsed ? parsed.gateways : []
}
