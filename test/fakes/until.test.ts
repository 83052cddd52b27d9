import t from 'tap'
import { until, within } from './until.ts'

t.test('until() returns what is found at last', async (t) => {
  let looks = 0
  const found = await until(
    'a third look',
    async () => ++looks === 3 && { looks },
    () => looks,
  )
  t.strictSame(found, { looks: 3 })
})

t.test('until() and within() end after a minute, and say what was there instead', async (t) => {
  const timers: [() => void, number][] = []
  t.intercept(globalThis, 'setTimeout', {
    value: (run: () => void, ms: number) => {
      timers.push([run, ms])
    },
  })
  const minute = () => timers.find(([, ms]) => ms === 60_000)![0]()
  const never = new Promise<boolean>(() => {})
  const error = { message: "Waited 60 s: all of it: [ 'a', 1 ]" }
  for (const waits of [
    () =>
      until(
        'all of it',
        () => false,
        () => ['a', 1],
      ),
    () =>
      until(
        'all of it',
        () => never,
        () => ['a', 1],
      ),
    () => within('all of it', never, () => ['a', 1]),
  ]) {
    timers.length = 0
    const rejected = t.rejects(waits(), error)
    minute()
    await rejected
  }
  t.equal(await within('an end', Promise.resolve(7), () => undefined), 7)
})
