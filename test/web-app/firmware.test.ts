import t from 'tap'
import { buildFor, buildsOf } from '../../web/app/src/admin/firmware.ts'

const builds = buildsOf({
  builds: [
    { chipFamily: 'ESP32', parts: [{ path: 'a.bin', offset: 0 }] },
    { chipFamily: 'ESP32-C6', parts: [{ path: 'c6.bin', offset: 65_536 }] },
    { chipFamily: 'ESP32-S3', parts: [{ path: '../../etc/passwd', offset: 0 }] },
    { chipFamily: 'ESP32-H2', parts: [{ path: 'h2.bin', offset: -1 }] },
    null,
  ],
})

t.test('buildFor() never gives a chip the software of its relatives', async (t) => {
  t.equal(buildFor('ESP32-C6 (QFN40) (revision v0.1)', builds)?.parts[0]?.path, 'c6.bin')
  t.equal(buildFor('ESP32-D0WD-V3 (revision v3.1)', builds)?.parts[0]?.path, 'a.bin')
  t.equal(buildFor('ESP32-C3 (QFN32)', builds), undefined)
  t.equal(buildFor('ESP8266EX', builds), undefined)
  t.equal(buildFor('', builds), undefined)
})

t.test('buildsOf() takes no part that leads elsewhere, and no nonsense', async (t) => {
  t.same(
    builds.map(({ chipFamily }) => chipFamily),
    ['ESP32', 'ESP32-C6'],
  )
  for (const nonsense of [undefined, null, 7, {}, { builds: {} }]) t.same(buildsOf(nonsense), [])
})
