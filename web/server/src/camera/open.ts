import type { Registry } from 'prom-client'
import { Gauge } from 'prom-client'
import type { Cloud } from '../cloud.ts'
import type { Deps } from '../deps.ts'
import type { Limits } from '../relay/hub.ts'
import { createRelay, type Relay } from './relay.ts'
import { createMayWatch } from './watching.ts'

/** The relay as the web server has it. Undefined: AWS IoT is not set up, so that no camera could be told anything. */
export function openRelay(
  { iot, live }: Pick<Cloud, 'iot' | 'live'>,
  deps: Pick<Deps, 'db' | 'now' | 'origin' | 'bearer' | 'log'>,
  limits: Limits,
): Relay | undefined {
  if (iot === undefined) return undefined
  const { db, log, origin } = deps
  const relay = createRelay({ origin, mqtt: iot, log, limits, mayWatch: createMayWatch(deps) })
  relay.onChange((thing) => {
    stableOf(db, thing)
      .then((stable) =>
        // As it is now: of two changes the later one may be read first.
        live.publish({ kind: 'camera', thing, camera: relay.status(thing) }, { thing, stable, fleet: true }),
      )
      .catch((error: unknown) => log.warn({ err: error }, 'state of a camera not told'))
  })
  return relay
}

async function stableOf({ sql }: Deps['db'], thing: string): Promise<string | undefined> {
  const row = await sql
    .selectFrom('devices')
    .innerJoin('horses', 'horses.id', 'devices.horse_id')
    .select('horses.stable_id')
    .where('devices.thing', '=', thing)
    .executeTakeFirst()
  return row?.stable_id
}

/** What the relay does, among the metrics of the server. */
export function countRelay(registry: Registry, relay: Relay): void {
  const gauges = {
    viewers: 'Browsers that watch a camera at this moment',
    sources: 'Cameras that are connected to the relay at this moment',
    picturesIn: 'Pictures that came from cameras since the start',
    picturesOut: 'Pictures that were sent to viewers since the start',
    picturesDropped: 'Pictures that a viewer did not get, because a newer one was there, since the start',
    viewersDismissed: 'Viewers that were cut off for acknowledging nothing, since the start',
  } as const
  for (const [name, help] of Object.entries(gauges) as [keyof typeof gauges, string][]) {
    const gauge: Gauge = new Gauge({
      name: `pesebre_relay_${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`,
      help,
      registers: [registry],
      collect: () => gauge.set(relay.numbers()[name]),
    })
  }
}
