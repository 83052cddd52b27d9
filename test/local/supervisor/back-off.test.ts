import t from 'tap'
import { afterDeath, NO_DEATHS } from '../../../local/src/supervisor/back-off.ts'

t.test('afterDeath() waits twice as long each time, then gives up', async (t) => {
  const delays: (number | undefined)[] = []
  let deaths = NO_DEATHS
  for (let i = 0; i < 5; i++) {
    const next = afterDeath(deaths, 1000)
    deaths = next.deaths
    delays.push(next.delayMs)
  }
  t.strictSame(delays, [500, 1000, 2000, 4000, undefined])
})

t.test('afterDeath() forgets earlier deaths of a process that was well for a minute', async (t) => {
  t.strictSame(afterDeath({ inARow: 4 }, 60_000), { deaths: { inARow: 1 }, delayMs: 500 })
})
