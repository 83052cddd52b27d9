import { parseFleetKeys } from '@pesebre/contract/fleet-keys'
import t from 'tap'

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
