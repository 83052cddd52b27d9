import t from 'tap'
import { THROTTLE, Throttle } from '../../../../web/server/src/auth/throttle.ts'

t.test('Throttle lets a person mistype, then doubles the wait, and forgives with time', async (t) => {
  const throttle = new Throttle()
  let now = 0
  for (let failures = 1; failures < THROTTLE.free; failures++) {
    throttle.failed('olga', '192.0.2.1', now)
    t.equal(throttle.wait('olga', '192.0.2.1', now), 0)
  }
  for (const waitMs of [1000, 2000, 4000, 8000]) {
    throttle.failed('olga', '192.0.2.1', now)
    t.equal(throttle.wait('olga', '192.0.2.1', now), waitMs)
    now += waitMs
    t.equal(throttle.wait('olga', '192.0.2.1', now), 0)
  }
  for (let failures = 0; failures < 40; failures++) throttle.failed('olga', '192.0.2.1', now)
  t.equal(throttle.wait('olga', '192.0.2.1', now), THROTTLE.waitMaxMs)
  t.equal(throttle.wait('olga', '192.0.2.1', now + THROTTLE.waitMaxMs), 0)
})

t.test('Throttle does not lock the owner out at another address', async (t) => {
  const throttle = new Throttle()
  for (let failures = 0; failures < 40; failures++) throttle.failed('olga', '192.0.2.66', 0)
  t.ok(throttle.wait('olga', '192.0.2.66', 0) > 0)
  t.equal(throttle.wait('olga', '192.0.2.1', 0), 0)
})

t.test(
  'Throttle slows an address that tries many accounts, and many addresses that try one account',
  async (t) => {
    const one = new Throttle()
    for (let n = 0; n < THROTTLE.perAddress; n++) one.failed(`user${n}`, '192.0.2.66', 0)
    t.ok(one.wait('another', '192.0.2.66', 0) > 0)
    const many = new Throttle()
    for (let n = 0; n < THROTTLE.perAccount; n++) many.failed('olga', `192.0.2.${n}`, 0)
    t.ok(many.wait('olga', '198.51.100.1', 0) > 0)
  },
)

t.test('Throttle: a good sign-in clears the pair, not the counts of the address', async (t) => {
  const throttle = new Throttle()
  for (let n = 0; n < THROTTLE.perAddress; n++) throttle.failed(`user${n}`, '192.0.2.66', 0)
  throttle.succeeded('mine', '192.0.2.66')
  t.ok(throttle.wait('another', '192.0.2.66', 0) > 0)
})

t.test('Throttle keeps so many rows and no more', async (t) => {
  const throttle = new Throttle({ ...THROTTLE, free: 1, rows: 30 })
  for (let n = 0; n < 1000; n++) throttle.failed(`user${n}`, `192.0.2.${n}`, 0)
  t.equal(throttle.wait('user0', '192.0.2.0', 0), 0)
  t.ok(throttle.wait('user999', '192.0.2.999', 0) > 0)
})
