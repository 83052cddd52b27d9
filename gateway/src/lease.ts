import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { IotData } from './adapters/iot-data.ts'
import type { Logger } from './adapters/log.ts'
import { replaceFile } from './replace-file.ts'

/** Shadow in which a gateway says that it runs, of a thing named after it. */
const LEASE_SHADOW = 'gateway'
/** How often a lease is renewed, and how long it holds, milliseconds. */
export const RENEW_MS = 30_000
const HOLDS_MS = 90_000
/** A lost compare-and-set is tried again so often. */
const ATTEMPTS = 3

export type LeaseSettings = {
  readonly gatewayId: string
  /** Names one disk, whatever process runs on it: a restart finds its own lease. */
  readonly instance: string
  readonly data: Pick<IotData, 'read' | 'report'>
  /** Bytes that the journals have ever taken: it never goes back, unless the disk does. */
  readonly mark: () => number
  readonly clock: () => number
}

/** Why a gateway must not run: its contexts would be those of another, and nonces would be used twice. */
export class LeaseTaken extends Error {}

export type Lease = {
  /** The mark at the last renewal by any instance; undefined if there was none. Throws LeaseTaken, or what AWS says. */
  renew(): Promise<number | undefined>
  /** Gives it up, so that another instance may start at once. */
  release(): Promise<void>
}

type Held = { instance?: unknown; at?: unknown; mark?: unknown }

/** The claim that no other gateway with the same id runs now (PESEBRE_GATEWAY_ID), by compare-and-set on a shadow. */
export function createLease({ gatewayId, instance, data, mark, clock }: LeaseSettings): Lease {
  const thing = `pesebre-gateway-${gatewayId}`

  async function renew(): Promise<number | undefined> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const document = await data.read(thing, LEASE_SHADOW)
      const held = reportedOf(document?.state)
      const isFresh = typeof held.at === 'number' && clock() - held.at < HOLDS_MS
      if (isFresh && held.instance !== instance) {
        const since = Math.round((clock() - (held.at as number)) / 1000)
        throw new LeaseTaken(
          `Another gateway runs with the same id (PESEBRE_GATEWAY_ID), heard of ${since} s ago: ${gatewayId}`,
        )
      }
      const reported = { instance, at: clock(), mark: mark() }
      const version = await data.report(thing, LEASE_SHADOW, { reported, version: document?.version ?? 0 })
      if (version !== undefined) return typeof held.mark === 'number' ? held.mark : undefined
    }
    throw new LeaseTaken(
      `Another gateway takes the same id (PESEBRE_GATEWAY_ID) at this moment: ${gatewayId}`,
    )
  }

  async function release(): Promise<void> {
    const document = await data.read(thing, LEASE_SHADOW)
    if (document === undefined || reportedOf(document.state).instance !== instance) return
    const { version } = document
    await data.report(thing, LEASE_SHADOW, { reported: { instance, at: 0, mark: mark() }, version })
  }

  return { renew, release }
}

function reportedOf(state: unknown): Held {
  const { reported } = (state ?? {}) as { reported?: Held }
  return reported ?? {}
}

export type LeaseKeeper = { stop(): Promise<void> }

/** Renews a lease as long as the process runs. `onTaken` ends it: another gateway has the same id. */
export function keepLease(
  lease: Lease,
  { log, onTaken }: { log: Logger; onTaken: (error: Error) => void },
): LeaseKeeper {
  const timer = setInterval(() => {
    lease.renew().catch((error: Error) => {
      if (error instanceof LeaseTaken) onTaken(error)
      else log.debug({ err: error }, 'lease not renewed')
    })
  }, RENEW_MS)
  return {
    stop: async () => {
      clearInterval(timer)
      await lease.release().catch((error: unknown) => log.debug({ err: error }, 'lease not released'))
    },
  }
}

/** The name of the disk in `dir`, made once. */
export function readInstance(dir: string): string {
  const path = join(dir, 'instance')
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    const instance = randomUUID()
    replaceFile(path, Buffer.from(instance))
    return instance
  }
}
