import t from 'tap'
import { Misuse } from '../../cli/src/command.ts'
import { applySettings, slotText } from '../../cli/src/config-values.ts'

t.test('applySettings: changes what is named, keeps the rest, removes what has no value', async (t) => {
  const before = { version: 3, interval_s: 60, zone: 'UTC', limits: { portion: 900, gap_s: 60 } }
  t.same(applySettings(before, ['interval_s=300', 'portion=', 'daily=8000'], 4), {
    version: 4,
    interval_s: 300,
    zone: 'UTC',
    limits: { daily: 8_000, gap_s: 60 },
  })
  t.same(before.limits, { portion: 900, gap_s: 60 }, 'what was given stays untouched')
  t.same(applySettings(before, ['portion=', 'gap_s=', 'zone='], 4), { version: 4, interval_s: 60 })
})

t.test('applySettings: slots are replaced together, in the order of the day', async (t) => {
  const config = applySettings(undefined, ['zone=UTC', 'slot=19:00/5/sat-mon', 'slot=7:05/6/tue,thu'], 1)
  t.same(config.schedule, [
    [425, 6, 0b0001010],
    [1_140, 5, 0b1100001],
  ])
  t.same(config.schedule?.map(slotText), ['07:05  6 g  tue thu', '19:00  5 g  mon sat sun'])
  t.equal(applySettings(config, ['slots='], 2).schedule, undefined)
})

t.test('applySettings: refuses what no device can follow', async (t) => {
  for (const [setting, message] of [
    ['interval_s', 'Not a setting'],
    ['interval_s=0', 'No device can follow this: /interval_s'],
    ['zone=Mars/Olympus', 'Not an IANA time zone'],
    ['portion=70000', 'No device can follow this: /limits/portion'],
    ['slot=24:00/5', 'Not a slot'],
    ['slot=07:00/5/someday', 'Not days'],
    ['slot=07:00/5', 'A schedule needs a time zone'],
    ['colour=red', 'No such setting'],
  ] as const) {
    t.throws(() => applySettings(undefined, [setting], 1), Misuse)
    t.throws(() => applySettings(undefined, [setting], 1), { message: new RegExp(message) })
  }
})
