/** Live events merged into what was read over HTTP. Pure. */
import type { Alarm, Alarms } from '@pesebre/contract/api/alarm'
import type { Device, Fleet } from '@pesebre/contract/api/device'
import type { Feed, FeedPage } from '@pesebre/contract/api/feed'
import { DEVICE_STANDINGS } from './standings.ts'

/** A ledger with a row that is new or has changed. A row that is behind what is there (events may repeat) changes nothing. */
export function withFeed<T extends Pick<FeedPage, 'feeds'>>(page: T, feed: Feed): T {
  const index = page.feeds.findIndex(({ id }) => id === feed.id)
  const before = page.feeds[index]
  if (before === undefined) {
    const feeds = [feed, ...page.feeds].sort((a, b) => b.at - a.at)
    return { ...page, feeds }
  }
  if (feed.states.length < before.states.length) return page
  return { ...page, feeds: page.feeds.with(index, feed) }
}

/** The list with an alarm that is new or has changed; without one that is over and that somebody has seen to. */
export function withAlarm(list: Alarms, alarm: Alarm): Alarms {
  const others = list.alarms.filter(({ id }) => id !== alarm.id)
  if (alarm.cleared !== undefined && alarm.acknowledged !== undefined) return { alarms: others }
  return { alarms: [...others, alarm].sort((a, b) => b.since - a.since) }
}

/** The fleet with a device that is new or has changed, in the order of the server: the worst first, then by name. */
export function withDevice(fleet: Fleet, device: Device): Fleet {
  const others = fleet.devices.filter(({ thing }) => thing !== device.thing)
  const isNew = others.length === fleet.devices.length
  const rank = ({ standing }: Device) => DEVICE_STANDINGS.indexOf(standing)
  const nameOf = ({ name, thing }: Device) => name ?? thing
  const devices = [...others, device].sort((a, b) => rank(a) - rank(b) || nameOf(a).localeCompare(nameOf(b)))
  return { ...fleet, devices, total: fleet.total + (isNew ? 1 : 0) }
}
