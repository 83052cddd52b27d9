import { createHash } from 'node:crypto'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { flashOf, NVS_SIZE } from '../../cli/src/flash.ts'
import { nvsCsv, nvsImage } from '../../cli/src/nvs.ts'
import { startLocalIot } from '../local/iot/support.ts'
import { run } from './fixtures/run.ts'

const IDENTITY = {
  thing: 'feeder-1a2b3c4d',
  number: 0x1a2b3c4d,
  kid: '121a2b3c4d',
  secret: '82002c0720d916571af13321bb2ebdb4',
  gateway_kid: '67',
  gateways: [
    { id: 'a', host: '192.0.2.7', port: 5683 },
    { id: 'gateway-b', host: '198.51.100.23', port: 5684 },
  ],
}
const WIFI = { ssid: 'stable', password: 'hay and oats' }

t.test('nvsImage() makes the bytes that Espressif’s own tool makes', async (t) => {
  const image = nvsImage(flashOf(IDENTITY, WIFI), NVS_SIZE)
  t.equal(image.length, 0x8000)
  // Of `nvs_partition_gen.py generate` (esp-idf-nvs-partition-gen, commit 67113ed) for the CSV below, 20 November 2026.
  const sha256 = 'db8e07d22efff3683768c9891d5588df6d8738b3b402bd54160f28a0d7c9000f'
  t.equal(createHash('sha256').update(image).digest('hex'), sha256)
  t.strictSame(nvsCsv(flashOf(IDENTITY, WIFI)).split('\n').slice(0, 4), [
    'key,type,encoding,value',
    'identity,namespace,,',
    'kid,data,hex2bin,121a2b3c4d',
    'secret,data,hex2bin,82002c0720d916571af13321bb2ebdb4',
  ])
})

t.test('nvsImage() refuses what one page does not hold', async (t) => {
  t.throws(() => nvsImage({ n: { k: new Uint8Array(4000) } }, NVS_SIZE), /more than one page/)
  t.throws(() => nvsImage({ n: { a_key_of_sixteen: new Uint8Array(1) } }, NVS_SIZE), /name a_key_of_sixteen/)
  t.throws(() => nvsImage({}, 8192), /of 8192 bytes/)
})

t.test('flashOf() derives the key of the Wi-Fi, and refuses what a feeder cannot use', async (t) => {
  // IEEE 802.11, the first example of the pass-phrase mapping.
  const { identity } = flashOf(IDENTITY, { ssid: 'IEEE', password: 'password' })
  const key = 'f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e'
  t.equal(`${Buffer.from(identity!['psk']!)}`, key)
  t.equal(`${Buffer.from(flashOf(IDENTITY, { ssid: 's', password: key }).identity!['psk']!)}`, key)
  t.throws(
    () => flashOf(IDENTITY, { ssid: 's', password: 'short' }),
    /PESEBRE_WIFI_PASSWORD must have 8 to 63/,
  )
  t.throws(() => flashOf({ ...IDENTITY, gateways: [] }, undefined), /1 to 4 --gateways: 0/)
  const named = [{ id: 'a', host: 'coap.example.org', port: 5683 }]
  t.throws(() => flashOf({ ...IDENTITY, gateways: named }, undefined), /addresses of its gateways/)
})

t.test(
  'register --nvs writes what is flashed, which only its owner may read, and nothing when it cannot',
  async (t) => {
    const home = t.testdir()
    const iot = await startLocalIot(t)
    writeFileSync(join(home, 'fleet-keys.json'), `{"2":"${'ab'.repeat(32)}"}`, { mode: 0o600 })
    const env = {
      PESEBRE_IOT_PORT: `${iot.restPort}`,
      PESEBRE_HOME: home,
      PESEBRE_WIFI_PASSWORD: WIFI.password,
    }
    const gateways = IDENTITY.gateways.map(({ id, host, port }) => `${id}=${host}:${port}`).join(',')
    const line = ['register', 'feeder', '--number', '1a2b3c4d', '--gateways', gateways, '--ssid', WIFI.ssid]
    const [image, csv] = [join(home, 'nvs.bin'), join(home, 'nvs.csv')]
    const lacking = await run([...line, '--nvs', image], { env: { ...env, PESEBRE_WIFI_PASSWORD: '' } })
    t.match(lacking, { code: 2, err: /^PESEBRE_WIFI_PASSWORD must have/ })
    const made = await run([...line, '--nvs', image, '--nvs-csv', csv], { env })
    t.equal(made.code, 0, made.err)
    t.ok(readFileSync(image).equals(nvsImage(flashOf(IDENTITY, WIFI), NVS_SIZE)))
    t.equal(readFileSync(csv, 'utf8'), nvsCsv(flashOf(IDENTITY, WIFI)))
    t.equal(statSync(image).mode & 0o077, 0)
    const sensor = await run(['register', 'sensor', '--nvs', join(home, 'other.bin')], { env })
    t.match(sensor, { code: 2, err: /^Only a feeder has an NVS partition/ })
  },
)
