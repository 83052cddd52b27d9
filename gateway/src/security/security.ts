import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { parseFleetKeys } from '@pesebre/contract/fleet-keys'
import { deviceOfThing, KINDS } from '@pesebre/contract/kid'
import { readFleetKeys } from '../adapters/fleet-keys.ts'
import type { Logger } from '../adapters/log.ts'
import type { Config } from '../config.ts'
import { replayJournal } from '../journal/replay.ts'
import { journalNames, segmentBases } from '../journal/segments.ts'
import { reserveSequence } from './sequence.ts'
import { openSnapshots, type Snapshot } from './snapshot.ts'
import type { SharedSecurity } from './thread.ts'
import { createWindowsMemory, openWindows, type Windows } from './windows.ts'

/** OSCORE as the main thread sees it: what outlives a restart. */
export type MainSecurity = {
  readonly shared: SharedSecurity
  readonly windows: Windows
  /**
   * Brings the replay windows to where they were, from the last snapshot and the journals. `isOldDisk`: the disk is known to be an
   * older copy, or a new one. Call it when the journals are open, and before a socket is.
   */
  rebuild(isOldDisk: boolean): void
  /** Stores the windows. Throws the error of the disk. */
  save(): void
  /** Stores them a last time. */
  close(): void
}

const ECHO_SECRET_BYTES = 32
const RENEW_MS = 100
const FAILURE_LOG_MS = 10_000
/** A start reads what the journals have taken since the last snapshot: no more than this, also when SQS is away for long. */
const UNSAVED_MAX_BYTES = 64 * 1024 * 1024

/**
 * Reads the fleet keys and reserves sequence numbers. Undefined where no fleet keys are set: then there is no OSCORE. Throws with
 * what to look at. `ends`: where each journal ends, by the name of its directory.
 */
export async function openSecurity(
  config: Config,
  log: Logger,
  ends: () => Readonly<Record<string, number>>,
): Promise<MainSecurity | undefined> {
  if (config.fleetKeys === undefined) return undefined
  const dir = config.journalDir
  const { text, warning } = await readFleetKeys(config.fleetKeys)
  if (warning !== undefined) log.warn({ file: config.fleetKeys }, warning)
  const fleetKeys = parseFleetKeys(text, config.fleetKeys)
  const memory = createWindowsMemory(config.devicesMax, randomBytes(ECHO_SECRET_BYTES))
  const windows = openWindows(memory)
  const snapshots = openSnapshots(dir)
  const reservation = reserveSequence(dir, Date.now())
  let loggedAt = Number.NEGATIVE_INFINITY
  let saved = Number.POSITIVE_INFINITY
  const renewal = setInterval(() => {
    try {
      reservation.renew()
      if (sumOf(ends()) - saved > UNSAVED_MAX_BYTES) save()
    } catch (error) {
      if (performance.now() - loggedAt < FAILURE_LOG_MS) return
      loggedAt = performance.now()
      log.error({ err: error }, 'sequence numbers or replay windows cannot be stored')
    }
  }, RENEW_MS)

  function rebuild(isOldDisk: boolean): void {
    const began = performance.now()
    const snapshot = snapshots.read()
    if (snapshot === 'damaged' || isOldDisk || isLost(snapshot)) {
      log.warn(
        { reason: isOldDisk ? 'the disk is an older copy' : 'their files are missing or damaged' },
        'replay windows are lost: every device has to prove itself once (Echo)',
      )
      windows.beginRecovery()
    } else {
      restore(snapshot === 'missing' ? NOTHING : snapshot)
    }
    save()
    log.info(
      { devices: windows.count(), ms: Math.round(performance.now() - began) },
      'replay windows rebuilt',
    )
  }

  function isLost(snapshot: Snapshot | 'missing'): boolean {
    if (snapshot !== 'missing') return hasGap(dir, snapshot.positions)
    // Every run with OSCORE reserves numbers: before the first, that there are no windows means that there never were any.
    return reservation.wasUsed && (sumOf(ends()) === 0 || hasGap(dir, {}))
  }

  function restore({ positions, states, recovering }: Snapshot): void {
    for (const state of states) windows.restore(state)
    if (recovering) windows.beginRecovery()
    for (const [name, end] of Object.entries(ends())) {
      const position = positions[name] ?? 0
      // A journal that ends before it has been made anew: all of it is new.
      replayJournal(join(dir, name), position > end ? 0 : position, mark)
    }
  }

  function mark(json: Buffer): void {
    const report = HEAD.exec(json.toString('latin1', 0, HEAD_MAX))
    const device = report && deviceOfThing(report[1]!)
    if (device) windows.mark({ kind: KINDS[device.kind], number: device.number }, Number(report[2]))
  }

  function save(): void {
    const positions = ends()
    snapshots.write(windows, positions)
    saved = sumOf(positions)
  }

  return {
    shared: { fleetKeys, windows: memory, sequence: reservation.memory },
    windows,
    rebuild,
    save,
    close: () => {
      clearInterval(renewal)
      try {
        save()
      } catch (error) {
        // The one before is as good, with the lines that came after it.
        log.warn({ err: error }, 'replay windows not stored')
      }
    },
  }
}

const NOTHING: Snapshot = { positions: {}, states: [], recovering: false }

/** Whether lines from these positions on are no longer there: what they had marked is known to nobody. */
function hasGap(dir: string, positions: Snapshot['positions']): boolean {
  return journalNames(dir).some((name) => {
    const [first] = segmentBases(join(dir, name))
    return first !== undefined && first > (positions[name] ?? 0)
  })
}

function sumOf(positions: Readonly<Record<string, number>>): number {
  return Object.values(positions).reduce((sum, end) => sum + end, 0)
}

/** Beginning of a report of a registered device: `thing` is the first key (contract/src/report.ts), and `seq` the third. */
const HEAD = /^\{"thing":"([a-z]+-[0-9a-f]{8})","type":"[^"]*","seq":(\d+)/
const HEAD_MAX = 128
