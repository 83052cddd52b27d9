import t from 'tap'
import { batteryAt, readingOf } from '../../../local/src/demo/open-device.ts'

const HOUR = 3_600_000

t.test('readingOf() is what a feeder would report: a hopper that empties, a battery, a radio', async (t) => {
  let last = readingOf(0).hopper_pct
  let refills = 0
  for (let now = 0; now < 24 * HOUR; now += 5000) {
    const { hopper_pct, battery_mv, rssi } = readingOf(now)
    if (hopper_pct > last) refills += 1
    const isReal = hopper_pct >= 15 && hopper_pct <= 100 && battery_mv > 3500 && battery_mv < 4200
    if (!isReal || rssi > -40 || rssi < -90 || (hopper_pct !== last && hopper_pct < last - 1)) {
      t.fail('not real', { now, hopper_pct, battery_mv, rssi })
    }
    last = hopper_pct
  }
  t.ok(refills > 10 && refills < 100, 'it is filled from time to time')
  t.strictSame(readingOf(HOUR), readingOf(HOUR), 'the same after a restart')
})

t.test('batteryAt() is enough for a firmware at every hour, for every feeder', async (t) => {
  // battery_empty_mv, battery_full_mv and battery_min_pct of firmware/core/settings.c.
  const least = 3300 + ((4200 - 3300) * 50) / 100
  for (let now = 0; now < 24 * HOUR; now += HOUR / 60)
    for (const seed of [1, 2, 0x1a2b3c4d]) {
      const millivolts = batteryAt(seed, now)
      if (millivolts < least || millivolts > 4200) t.fail('too low or too full', { now, seed, millivolts })
    }
  t.not(batteryAt(1, 15 * HOUR), batteryAt(1, 3 * HOUR), 'it goes up and down')
})
