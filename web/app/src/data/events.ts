/** What live events do to what is shown: most change an entry of the cache in place, some make it be read again. */
import type { Alarm, Alarms } from '@pesebre/contract/api/alarm'
import type { CameraStatus } from '@pesebre/contract/api/camera'
import type { Fleet } from '@pesebre/contract/api/device'
import type { Feed, FeedPage } from '@pesebre/contract/api/feed'
import type { Hops } from '@pesebre/contract/api/hop'
import type { HorseCard } from '@pesebre/contract/api/horse'
import type { LiveEvent } from '@pesebre/contract/api/live'
import { type Signal, signal } from '@preact/signals'
import { change, known, peek, refresh } from './cache.ts'
import { startLive } from './live.ts'
import { withAlarm, withDevice, withFeed } from './merge.ts'

/** The last report of each device that was heard of while this page was open, by thing. */
export const reports: Signal<ReadonlyMap<string, LiveEvent & { kind: 'state' }>> = signal(new Map())
/** What each camera does, by thing. */
export const cameras: Signal<ReadonlyMap<string, CameraStatus>> = signal(new Map())

/** Several events of one moment make one reading. */
const GATHER_MS = 150
const CARDS = /^\/stables\/[^/]+\/horses$/
const waiting = new Set<string>()

export function startEvents(): void {
  startLive(take)
}

function take(event: LiveEvent): void {
  if (event.kind === 'reset') refresh((path) => path !== '/session').catch(() => undefined)
  else if (event.kind === 'feed') takeFeed(event.stable, event.horse, event.feed as Feed)
  else if (event.kind === 'alarm') takeAlarm(event.stable, event.alarm as Alarm)
  else if (event.kind === 'horse') {
    soon(cardsOf(event.stable))
    soon(`/horses/${event.horse}`)
  } else if (event.kind === 'device') {
    change<Fleet>('/devices', (fleet) => withDevice(fleet, event.device))
    change(`/devices/${event.device.thing}`, () => event.device)
  } else if (event.kind === 'state') {
    reports.value = new Map(reports.peek()).set(event.thing, event)
    soonOfThing(event.thing)
  } else if (event.kind === 'control') soonOfThing(event.thing, true)
  else if (event.kind === 'camera')
    cameras.value = new Map(cameras.peek()).set(event.thing, event.camera as CameraStatus)
  else if (event.kind === 'numbers')
    change<Fleet>('/devices', (fleet) => ({ ...fleet, numbers: event.numbers }))
  else if (event.kind === 'hops') change<Hops>('/hops', () => event.hops)
}

function takeFeed(stable: string, horse: string, feed: Feed): void {
  change<FeedPage>(`/horses/${horse}/feeds`, (page) => withFeed(page, feed))
  soon(cardsOf(stable))
  refresh((path) => path.startsWith(`/horses/${horse}/day`)).catch(() => undefined)
  if (feed.ended) soon(`/horses/${horse}/limits`)
}

function takeAlarm(stable: string | null, alarm: Alarm): void {
  if (stable === null) return
  change<Alarms>(`/stables/${stable}/alarms`, (list) => withAlarm(list, alarm))
  soon(cardsOf(stable))
}

/** Cards are made by the server, out of more than the report: read those again that show the thing. */
function soonOfThing(thing: string, isConfig = false): void {
  for (const path of known().filter((each) => CARDS.test(each))) {
    const shown = peek<HorseCard[]>(path)?.filter(
      ({ feeder, camera }) => feeder?.thing === thing || camera?.thing === thing,
    )
    if (shown === undefined || shown.length === 0) continue
    soon(path)
    if (!isConfig) continue
    for (const { horse } of shown)
      for (const part of ['schedule', 'limits', 'calibration']) soon(`/horses/${horse.id}/${part}`)
  }
}

function soon(path: string): void {
  if (waiting.size === 0)
    setTimeout(() => {
      const paths = new Set(waiting)
      waiting.clear()
      refresh((each) => paths.has(each)).catch(() => undefined)
    }, GATHER_MS)
  waiting.add(path)
}

function cardsOf(stable: string): string {
  return `/stables/${stable}/horses`
}
