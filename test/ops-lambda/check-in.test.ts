import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { nodeCrypto } from '@pesebre/coap/node-crypto'
import { parseFleetKeys } from '@pesebre/contract/fleet-keys'
import { makeIdentity, newestOf } from '@pesebre/contract/registration'
import t from 'tap'
import { checkIn } from '../../ops-lambda/src/probe/check-in.ts'
import { exchangeWith } from '../../ops-lambda/src/probe/udp.ts'
import { startGateway } from '../fakes/gateway-process.ts'
import { keptIn } from '../gateway/attack.ts'
import { fleetKeyFile } from '../gateway/secure-device.ts'

t.setTimeout(120_000)

t.test('checkIn() is a check-in of a registered device, each time anew', async (t) => {
  const keys = fleetKeyFile(t)
  const gateway = await startGateway({ env: { PESEBRE_FLEET_KEYS: keys, PESEBRE_STOP_TIMEOUT_MS: '100' } })
  t.teardown(gateway.stop)
  const identity = makeIdentity(
    {
      kind: 'test',
      number: 1,
      fleetKey: newestOf(parseFleetKeys(readFileSync(keys, 'utf8'), keys)),
      name: undefined,
      gateways: [],
    },
    (key, data) => createHmac('sha256', key).update(data).digest(),
  )
  const options = { identity, crypto: nodeCrypto, exchange: exchangeWith('127.0.0.1', gateway.coapPort) }
  const now = Date.now()
  const first = await checkIn({ ...options, gateway: 'a', now })
  const second = await checkIn({ ...options, gateway: 'a', now: now + 1000 })
  t.ok(second > first)
  t.match(keptIn(gateway, 'test-00000001'), [{ seq: first, type: 'test' }, { seq: second }])
  await t.rejects(
    checkIn({ ...options, gateway: 'b', now: now + 2000 }),
    { message: /^No answer in 10 s; refused with 4\.0[01]/ },
    'another gateway than the one that is asked is no success',
  )
})
