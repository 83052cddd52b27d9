import t from 'tap'
import { createLease } from '../../gateway/src/lease.ts'

const TAKEN = { message: /^Another gateway runs with the same id/ }

/** One named shadow, with AWS's compare-and-set. */
function shadow() {
  let version = 0
  let reported: object | undefined
  return {
    /** Runs once before the next write. */
    before: undefined as (() => void) | undefined,
    read: async () => (reported ? { version, state: { reported } } : undefined),
    async report(_thing: string, _shadow: string, change: { reported: unknown; version: number }) {
      const { before } = this
      this.before = undefined
      before?.()
      if (change.version > 0 && change.version !== version) return undefined
      reported = change.reported as object
      return ++version
    },
    write(value: object) {
      reported = value
      version++
    },
  }
}

t.test('a lease is renewed by its instance, refused to others until it is stale or released', async (t) => {
  const data = shadow()
  let now = 1_000_000
  let bytes = 10
  const lease = (instance: string) =>
    createLease({ gatewayId: 'a', instance, data, mark: () => bytes, clock: () => now })
  t.equal(await lease('one').renew(), undefined, 'nobody had it before')
  bytes = 20
  t.equal(await lease('one').renew(), 10, 'what was known at the last renewal')
  now += 89_000
  await t.rejects(lease('two').renew(), TAKEN)
  now += 2000
  t.equal(await lease('two').renew(), 20, 'stale')
  await t.rejects(lease('one').renew(), TAKEN)
  await lease('one').release()
  await t.rejects(lease('one').renew(), TAKEN, "nobody gives up another's lease")
  await lease('two').release()
  t.equal(await lease('one').renew(), 20)
})

t.test('of two that take a stale lease at the same time one gets it', async (t) => {
  const data = shadow()
  const now = 1_000_000
  const lease = createLease({ gatewayId: 'a', instance: 'one', data, mark: () => 0, clock: () => now })
  data.write({ instance: 'old', at: 0, mark: 0 })
  data.before = () => data.write({ instance: 'two', at: now, mark: 0 })
  await t.rejects(lease.renew(), TAKEN)
})

t.test('what AWS says otherwise comes through', async (t) => {
  const data = { ...shadow(), read: () => Promise.reject(new Error('away')) }
  const lease = createLease({ gatewayId: 'a', instance: 'one', data, mark: () => 0, clock: () => 0 })
  await t.rejects(lease.renew(), /away/)
})
