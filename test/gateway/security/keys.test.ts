import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readFleetKeys } from '../../../gateway/src/adapters/fleet-keys.ts'
import { parseFleetKeys } from '../../../gateway/src/security/keys.ts'

const KEY = 'a1'.repeat(32)

t.test('parseFleetKeys() reads keys by their version', async (t) => {
  const keys = parseFleetKeys(`{"1":"${KEY}","15":"${KEY.toUpperCase()}"}`, 'x')
  t.strictSame([...keys.keys()], [1, 15])
  for (const key of keys.values()) t.equal(Buffer.from(key).toString('hex'), KEY)
})

t.test('parseFleetKeys() says what is wrong, and nothing of a key', async (t) => {
  const cases: [text: string, said: string][] = [
    ['', 'not a JSON object of versions and keys'],
    [`{"1":"${KEY}"`, 'not a JSON object of versions and keys'],
    [`["${KEY}"]`, 'not a JSON object of versions and keys'],
    ['{}', 'none is there'],
    [`{"16":"${KEY}"}`, 'version "16" is not 0 to 15'],
    [`{"x":"${KEY}"}`, 'version "x" is not 0 to 15'],
    [`{"1":"${KEY.slice(1)}"}`, 'key 1 is not 64 hex digits'],
    [`{"1":"${KEY}00"}`, 'key 1 is not 64 hex digits'],
    ['{"1":5}', 'key 1 is not 64 hex digits'],
  ]
  for (const [text, said] of cases)
    t.throws(() => parseFleetKeys(text, 'the file'), {
      message: `Cannot read the fleet keys: ${said}: the file`,
    })
})

t.test('readFleetKeys() reads a file, and warns when others may', async (t) => {
  const path = join(t.testdir(), 'keys.json')
  writeFileSync(path, '{}', { mode: 0o600 })
  t.strictSame(await readFleetKeys(path), { text: '{}' })
  chmodSync(path, 0o640)
  t.match(await readFleetKeys(path), { text: '{}', warning: /chmod 600/ })
  await t.rejects(readFleetKeys(`${path}x`), {
    message: /^Cannot read the fleet keys \(PESEBRE_FLEET_KEYS\): ENOENT/,
  })
})
