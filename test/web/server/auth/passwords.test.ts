import t from 'tap'
import { hashPassword, verifyPassword } from '../../../../web/server/src/auth/passwords.ts'

const CHEAP = { memory: 64, passes: 1, parallelism: 1 }

t.test(
  'hashPassword() makes a PHC text with a salt of its own, and verifyPassword() knows it again',
  async (t) => {
    const [one, two] = await Promise.all([hashPassword('a stable secret'), hashPassword('a stable secret')])
    t.match(one, /^\$argon2id\$v=19\$m=65536,t=3,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
    t.not(one, two)
    t.equal(await verifyPassword('a stable secret', one), true)
    t.equal(await verifyPassword('a stable secreT', one), false)
  },
)

t.test('verifyPassword() reads what another cost has made, and refuses what is no hash', async (t) => {
  const cheap = await hashPassword('a stable secret', CHEAP)
  t.match(cheap, 'm=64,t=1,p=1')
  t.equal(await verifyPassword('a stable secret', cheap), true)
  t.equal(await verifyPassword('', null), false)
  t.equal(await verifyPassword('', ''), false)
  t.equal(await verifyPassword('plain', 'plain'), false)
})

t.test('verifyPassword() takes two ways of writing one letter as the same', async (t) => {
  const stored = await hashPassword('contrasen\u0303a', CHEAP)
  t.equal(await verifyPassword('contrase\u00f1a', stored), true)
})

t.test('hashPassword() works off more at once than it lets run', async (t) => {
  const hashes = await Promise.all(Array.from({ length: 8 }, (_, n) => hashPassword(`password ${n}`, CHEAP)))
  t.equal(new Set(hashes).size, 8)
})

t.test('hashPassword() lets only so many wait, and goes on afterwards', async (t) => {
  const tries = Array.from({ length: 60 }, () => hashPassword('a stable secret', CHEAP))
  const results = await Promise.allSettled(tries)
  const refused = results.filter((one) => one.status === 'rejected')
  t.equal(refused.length, 60 - 42)
  t.match(refused[0], { reason: { problem: 'unavailable', extra: { retryAfter: 5 } } })
  t.ok(await hashPassword('a stable secret', CHEAP))
})
