import t from 'tap'
import { readingOf } from '../../../local/src/demo/open-device.ts'

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
